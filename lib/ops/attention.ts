// Scaled dot-product attention, composed of products, masks and softmax.
import { expectOptions, is } from '../base/index.js'
import { constant, type DType, sameShape, type Shape, ShapeError, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { typeText } from './define.js'
import { logicalAnd } from './logical.js'
import { matmul } from './matmul.js'
import { aTensor } from './operand.js'
import { less, lessEqual, mul, where } from './pointwise.js'
import { dropout } from './random.js'
import { softmax } from './softmax.js'

/** Options of `attention`. */
export interface AttentionOptions {
  /** Query t sees keys 0..t alone; there are as many queries as keys. Default: false. */
  readonly causal?: boolean
  /** Keys of each example that count, from the first: i32 [N]. Default: all. */
  readonly lengths?: Tensor<'i32'>
  /** Which keys each query sees: u8 that broadcasts to [..., T, S]. Default: all. */
  readonly mask?: Tensor<'u8'>
  /** Share of the attention weights that training drops. Default: 0. */
  readonly dropout?: number
  /** Factor of the products. Default: 1 / sqrt(D). */
  readonly scale?: number
}

const schema = {
  causal: is.flag,
  lengths: aTensor,
  mask: aTensor,
  dropout: is.fraction,
  scale: is.finite,
}

function expectThat(condition: boolean, expected: string, ...got: readonly Tensor[]): void {
  if (condition) return
  throw new ShapeError(`attention: expected ${expected}, got ${got.map(typeText).join(' and ')}`)
}

function expectOperands(q: Tensor, k: Tensor, v: Tensor): void {
  expectThat(q.rank >= 3 && q.rank === k.rank && k.rank === v.rank, 'q, k and v of one rank of at least 3', q, k, v)
  const lead = (x: Tensor) => x.shape.slice(0, -2)
  const alike = sameShape(lead(q), lead(k)) && sameShape(lead(k), lead(v))
  expectThat(alike, 'q, k and v of the same leading extents', q, k, v)
  expectThat(q.shape.at(-1) === k.shape.at(-1), 'q and k of the same features', q, k)
  expectThat(k.shape.at(-2) === v.shape.at(-2), 'as many values as keys', k, v)
}

/** 0, 1, ..., n - 1 along one of the last two axes of a tensor of this rank. */
function positions(n: number, axis: -1 | -2, rank: number): Tensor<'i32'> {
  const shape = new Array<number>(rank).fill(1)
  shape[rank + axis] = n
  return constant(
    'i32',
    shape,
    Array.from({ length: n }, (_, i) => i),
  )
}

const both = (a: Tensor<'u8'> | undefined, b: Tensor<'u8'> | undefined): Tensor<'u8'> | undefined =>
  a && b ? logicalAnd<Shape, Shape>(a, b) : (a ?? b)

/** What each query sees by its place and the lengths; undefined where that is everything. */
function seenOf(q: Tensor, k: Tensor, { causal = false, lengths, mask }: AttentionOptions): Tensor<'u8'> | undefined {
  const [queries = 1, keys = 1] = [q.shape.at(-2), k.shape.at(-2)]
  const key = () => positions(keys, -1, q.rank)
  let seen: Tensor<'u8'> | undefined
  if (causal) {
    expectThat(queries === keys, 'as many queries as keys where it is causal', q, k)
    seen = lessEqual<Shape, Shape>(key(), positions(queries, -2, q.rank))
  }
  if (lengths) {
    const wanted = `i32[${q.shape[0] ?? 1}]`
    expectThat(typeText(lengths) === wanted, `lengths of ${wanted}`, lengths)
    const each = reshape(lengths, [q.shape[0] ?? 1, ...new Array<number>(q.rank - 1).fill(1)])
    seen = both(seen, less<Shape, Shape>(key(), each))
  }
  if (mask) expectThat(typeText(mask).startsWith('u8'), 'a mask of u8', mask)
  return both(seen, mask)
}

/** Far below any product, and finite: of its exponential nothing is left beside that of any other. */
const unseen = -1e30

/**
 * softmax(scale q k^T) v over what each query sees: q float [N, ..., T, D], k [N, ..., S, D], v [N, ..., S, E] -> [N, ..., T, E].
 * A query that sees nothing gives zeros.
 * @throws ShapeError where extents do not fit, a causal one has not as many queries as keys; OstrichError `ERR_OPTION`.
 * @see Vaswani et al. 2017, "Attention is all you need", 3.2.1.
 * @example attention(q, k, v, { causal: true }) // [32, 8, 128, 64] each
 */
export function attention<D extends DType>(
  q: Tensor<D>,
  k: Tensor<NoInfer<D>>,
  v: Tensor<NoInfer<D>>,
  options: AttentionOptions = {},
): Tensor<D> {
  expectOptions<AttentionOptions>('ops.attention', options, schema)
  expectOperands(q, k, v)
  const { dropout: rate = 0, scale = (q.shape.at(-1) ?? 1) ** -0.5, lengths, mask } = options
  const seen = seenOf(q, k, options)
  const products = matmul<D, Shape, Shape, false, true>(mul(q, scale), k, { transposeB: true })
  const hidden = (x: Tensor<D>, value: number): Tensor<D> => (seen ? where(seen, x, value) : x)
  const weights = softmax(hidden(products, unseen))
  // A causal query sees itself at least.
  const whole = lengths || mask ? hidden(weights, 0) : weights
  return matmul<D, Shape, Shape>(dropout(whole, rate), v)
}
