// How the numbers of frames change over time.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { constant, type Shape, type Tensor } from '../../graph/index.js'
import {
  add,
  broadcastTo,
  concat,
  gather,
  maximum,
  mul,
  reshape,
  slice,
  sub,
  where as select,
} from '../../ops/index.js'
import { type Rows, type SequenceLayer, sequenceLayer } from './sequence-layer.js'

/** Options of `deltas`. */
export interface DeltasOptions {
  /** How often: 1 adds first deltas, 2 second ones too. Default: 2. */
  readonly order?: number
  /** Frames to either side that a slope is fitted to. Default: 2. */
  readonly window?: number
  /**
   * How the ends are met by deltas of deltas: `htk` (and torchaudio) holds the first and the last delta there, `kaldi` holds the first and the
   * last frame alone. Default: `htk`.
   */
  readonly convention?: 'htk' | 'kaldi'
  /** In paths; default: `deltas1`, `deltas2`, ... */
  readonly name?: string
}

const schema: Schema<DeltasOptions> = {
  order: is.whole(1, 4),
  window: is.whole(1, 100),
  convention: is.oneOf('htk', 'kaldi'),
  name: is.text,
}

/**
 * The slopes of numbers over time behind the numbers, then the slopes of the slopes: x f32 [T, N, D] -> f32 [T, N, D (order + 1)]. A slope is
 * sum_j j x_{t+j} / sum_j j^2 over j from -window to window; beyond either end stands what is outermost.
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for an x of other rank.
 * @see Furui 1986, "Speaker-independent isolated word recognition using dynamic features of speech spectrum"; Young et al., "The HTK book",
 * 5.9.
 * @example nn.sequential(nn.filterBanks({ convention: 'htk', rate: 16000, filters: 40, energy: 'raw' }), nn.deltas()) // 123 numbers
 */
export function deltas(options: DeltasOptions = {}): SequenceLayer {
  expectOptions('nn.deltas', options, schema)
  const { order = 2, window = 2, convention = 'htk', name } = options
  const places = Array.from({ length: 2 * window + 1 }, (_, i) => i - window)
  const total = places.reduce((sum, j) => sum + j * j, 0)
  const slope = places.map((j) => j / total)
  return sequenceLayer({ kind: 'deltas', name }, (rows) => {
    const all = [rows.x]
    let weights: readonly number[] = [1]
    for (let i = 0; i < order; i++) {
      weights = convolved(weights, slope)
      all.push(convention === 'kaldi' ? filtered(rows, weights) : filtered({ ...rows, x: all[i]! }, slope))
    }
    return concat(all, -1)
  })
}

/** Two filters one after the other as one. */
function convolved(a: readonly number[], b: readonly number[]): number[] {
  const both = new Array<number>(a.length + b.length - 1).fill(0)
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) both[i + j]! += x * y
  return both
}

/** sum_j weights_j x_{t+j}, j from -r to r; what is outermost of a row stands beyond its ends. */
function filtered({ x, lengths, mask }: Rows, weights: readonly number[]): Tensor<'f32'> {
  const [steps = 1, rows = 1, features = 1] = x.shape
  const reach = (weights.length - 1) / 2
  const first: Tensor<'f32'> = slice(x, [0, 0, 0], [1, rows, features])
  const last = lengths === undefined ? slice(x, [steps - 1, 0, 0], [1, rows, features]) : lastOf(x, lengths)
  const held = mask === undefined ? x : select<'f32'>(mask, x, last)
  const beyond = (end: Tensor<'f32'>) => broadcastTo(end, [reach, rows, features])
  const wide = concat([beyond(first), held, beyond(last)], 0)
  const terms = weights.flatMap((weight, j) =>
    weight === 0 ? [] : [mul<'f32', Shape>(slice(wide, [j, 0, 0], [steps, rows, features]), weight)],
  )
  return terms.reduce((sum, term) => add<'f32', Shape, Shape>(sum, term))
}

/** The last frame of each row, [1, N, D]; of a row without frames, some frame. */
function lastOf(x: Tensor<'f32'>, lengths: Tensor<'i32'>): Tensor<'f32'> {
  const [steps = 1, rows = 1, features = 1] = x.shape
  const row = constant(
    'i32',
    [rows],
    Array.from({ length: rows }, (_, n) => n),
  )
  const place = mul(sub(maximum<'i32', Shape>(lengths, 1), 1), rows)
  const index = add<'i32', Shape, Shape>(place, row)
  return reshape(gather(reshape(x, [steps * rows, features]), index), [1, rows, features])
}
