// Layers over rows of frames that have lengths of their own.
import { expectOptions } from '../../base/index.js'
import { ofDType, ShapeError, type Tensor, tracePath } from '../../graph/index.js'
import { reshape, sequenceMask, where as select } from '../../ops/index.js'
import { aTensor } from '../../ops/operand.js'
import { typeText } from '../check.js'
import type { Layer } from '../layer.js'
import { runnable } from '../runnable.js'
import type { Accepts, Features } from '../types.js'

/** What a call of a layer over frames may say besides them. */
export interface SequenceCall {
  /** How many frames each row has, from the first on: i32 [N], from 0 to T. Default: T. */
  readonly lengths?: Tensor<'i32'>
}

/** A layer over rows of frames. */
export interface SequenceLayer extends Layer<Features, Features> {
  /**
   * The layer over rows of lengths of their own; a row's numbers depend on its own frames alone, and are zeros behind them.
   * @throws OstrichError `ERR_OPTION`; ShapeError for other extents. Lengths outside 0 to T are the run-time error ERR_DATA.
   * @example const { output } = deltas.run(frames, { lengths })
   */
  readonly run: <X extends Tensor>(
    x: X & Accepts<Features, X>,
    call?: SequenceCall,
  ) => { readonly output: Tensor<'f32'> }
}

/** The frames of a batch, and which of them there are. */
export interface Rows {
  /** f32 [T, N, D] */
  readonly x: Tensor<'f32'>
  readonly lengths: Tensor<'i32'> | undefined
  /** u8 [T, N, 1]; undefined: all. */
  readonly mask: Tensor<'u8'> | undefined
}

/** Makes a layer over rows of frames, whose result is zeros where a row has none. */
export function sequenceLayer(
  { kind, name }: { readonly kind: string; readonly name: string | undefined },
  compute: (rows: Rows) => Tensor<'f32'>,
): SequenceLayer {
  const own = runnable<SequenceCall, { readonly output: Tensor<'f32'> }>({
    kind,
    name,
    compute: (given, call) => {
      const where = `${kind}[${tracePath()}]`
      if (given.rank !== 3) throw new ShapeError(`${where}: expected x of f32[T, N, D], got ${typeText(given)}`)
      const x = ofDType(given, 'f32', `${where}[x]`)
      const [steps = 1, rows = 1] = x.shape
      const lengths = call?.lengths
      if (lengths !== undefined && typeText(lengths) !== `i32[${rows}]`) {
        throw new ShapeError(`${where}: expected lengths of i32[${rows}], got ${typeText(lengths)}`)
      }
      const mask = lengths && reshape(sequenceMask(lengths, steps), [steps, rows, 1])
      const all = compute({ x, lengths, mask })
      const output = mask === undefined ? all : select<'f32'>(mask, all, 0)
      return call === undefined ? output : { output }
    },
    expectCall: (call) => {
      expectOptions<SequenceCall>(`nn.${kind}[run]`, call, { lengths: aTensor })
    },
  })
  return own as unknown as SequenceLayer
}
