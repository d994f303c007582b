// Layers at the doors of a network: bytes to numbers, indices to features, images to features.
import { expectOptions, is } from '../base/index.js'
import { read, type Tensor } from '../graph/index.js'
import { cast, equal, flatten as flattenAxes, gather, mul, reshape, where } from '../ops/index.js'
import { expectCount } from './check.js'
import { normal } from './init.js'
import { layer, type Layer } from './layer.js'
import { parameter } from './parameter.js'
import type { Features, Indices, Initializer, SameShape } from './types.js'

/**
 * All axes but the first as one: [N, ...] -> [N, D]. That D is what the next layer expects is checked when traced.
 * @example nn.flatten() // [128, 64, 7, 7] -> [128, 3136]
 */
export function flatten(): Layer<Tensor<'f32'>, Tensor<'f32', [number, number]>> {
  return layer<Tensor<'f32'>, Tensor<'f32', [number, number]>>({ kind: 'flatten', apply: (x) => flattenAxes(x) })
}

/**
 * Bytes as numbers from 0 to 1, for data that is fed as u8: x u8 -> f32 of the same extents.
 * @example nn.sequential(nn.fromBytes(), nn.conv2d(1, 32, { kernel: 5 }))
 */
export function fromBytes(): Layer<Tensor<'u8'>, SameShape> {
  return layer<Tensor<'u8'>, SameShape>({ kind: 'bytes', apply: (x) => mul(cast(x, 'f32'), 1 / 255) })
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** Default: normal with variance 1 / features, so that rows have length about 1. */
  readonly init?: Initializer
  /** An index whose rows are zeros, and which trains nothing: what fills up sequences. Default: none. */
  readonly padding?: number
  /**
   * For a large vocabulary: an update costs by the rows that a batch reads, not by the table; optimisers leave other rows, and their
   * moments, as they are. Such a table is read by its layer alone; docs/optimisers.md, "Large tables". Default: false.
   */
  readonly sparse?: boolean
  /** In paths; default: `embedding1`, `embedding2`, ... */
  readonly name?: string
}

/**
 * Rows of a trained table [vocabulary, features]: x i32 [...] -> f32 [..., features].
 * @throws OstrichError `ERR_OPTION`. An index outside the vocabulary is the run-time error ERR_DATA.
 * @example nn.embedding(10000, 650)
 * @example nn.embedding(1_000_000, 100, { sparse: true })
 */
export function embedding<F extends number>(
  vocabulary: number,
  features: F,
  options: EmbeddingOptions = {},
): Layer<Indices, Features<F>> {
  expectCount('embedding', 'the vocabulary', vocabulary)
  const padded = is.whole(0, vocabulary - 1)
  expectOptions<EmbeddingOptions>('nn.embedding', options, {
    init: is.callable,
    padding: padded,
    sparse: is.flag,
    name: is.text,
  })
  expectCount('embedding', 'features', features)
  const { init = normal(features ** -0.5), padding, sparse, name } = options
  const w = parameter<[number, F]>('w', [vocabulary, features], init, { in: vocabulary, out: features }, sparse)
  return layer<Indices, Features<F>>({
    kind: 'embedding',
    name,
    parameters: [w],
    apply: (x) => {
      const rows: Tensor<'f32'> = gather(read(w), x)
      const whole = padding === undefined ? rows : where(reshape(equal(x, padding), [...x.shape, 1]), 0, rows)
      return whole as Features<F>
    },
  })
}
