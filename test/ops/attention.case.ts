// Attention: all keys, causal, lengths, masks, values of other extents.
import * as ops from '../../lib/ops/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { at, broadcastAt, fill, type NDArray } from '../support/ndarray.js'
import { input, type OpCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { exactly, integers, uniform } from '../support/random.js'

type Q = Tensor<'f32'>

interface Seen {
  readonly causal?: boolean
  readonly lengths?: NDArray
  readonly mask?: NDArray
}

/** Row by row: exponentials of what is seen, and means of values by them. */
function attended([q, k, v]: readonly NDArray[], { causal, lengths, mask }: Seen): NDArray {
  const [keys, features] = [k!.shape.at(-2)!, k!.shape.at(-1)!]
  return fill([...q!.shape.slice(0, -1), v!.shape.at(-1)!], (index) => {
    const [lead, t, e] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!]
    const weight = (s: number): number => {
      const isSeen =
        (causal !== true || s <= t) &&
        (lengths === undefined || s < at(lengths, lead[0]!)) &&
        (mask === undefined || broadcastAt(mask, [...lead, t, s]) !== 0)
      if (!isSeen) return 0
      let product = 0
      for (let d = 0; d < features; d++) product += at(q!, ...lead, t, d) * at(k!, ...lead, s, d)
      return Math.exp(product / Math.sqrt(features))
    }
    let [total, sum] = [0, 0]
    for (let s = 0; s < keys; s++) {
      total += weight(s)
      sum += weight(s) * at(v!, ...lead, s, e)
    }
    return total === 0 ? 0 : sum / total
  })
}

const tolerance: Tolerance = {
  f32: 2 ** -18,
  bf16: 2 ** -5,
  relativeTo: 'tensor',
  reason: 'two products and exponentials; in bf16 the products before the exponential are rounded',
}

const qkv = (q: number[], k: number[], v: number[]) => [q, k, v].map((shape) => input('float', shape, uniform(-1, 1)))

function sample(name: string, [q, k, v]: readonly number[][], extra: Partial<Sample>): Sample {
  return {
    name,
    inputs: qkv(q!, k!, v!),
    outputs: [`float[${[...q!.slice(0, -1), v!.at(-1)!].join(', ')}]`],
    build: (a, b, c) => ops.attention(a as Q, b as Q, c as Q),
    value: (...x) => attended(x, {}),
    ...extra,
  }
}

const square = [2, 2, 3, 4]
const lengths = (x: Tensor) => x as Tensor<'i32'>

const refusal = (shapes: readonly number[][], build: Refusal['build'], message: RegExp): Refusal => ({
  inputs: shapes.map((shape) => ({ dtype: 'f32', shape })),
  build,
  message,
})
const plain: Refusal['build'] = (q, k, v) => ops.attention(q as Q, k as Q, v as Q)

const attention: OpCase = {
  name: 'attention',
  samples: [
    sample('as many keys as queries', [square, square, square], {}),
    sample(
      'other keys, values of other features',
      [
        [2, 3, 4],
        [2, 5, 4],
        [2, 5, 2],
      ],
      {},
    ),
    sample('causal', [square, square, square], {
      build: (q, k, v) => ops.attention(q as Q, k as Q, v as Q, { causal: true }),
      value: (...x) => attended(x, { causal: true }),
    }),
    sample('lengths, one of them 0', [square, square, square], {
      inputs: [...qkv(square, square, square), input('i32', [2], exactly(2, 0))],
      build: (q, k, v, n) => ops.attention(q as Q, k as Q, v as Q, { lengths: lengths(n) }),
      value: (q, k, v, n) => attended([q, k, v], { lengths: n }),
    }),
    sample('a mask, causal too', [square, square, square], {
      inputs: [...qkv(square, square, square), input('u8', [2, 1, 1, 3], integers(0, 2))],
      build: (q, k, v, mask) => ops.attention(q as Q, k as Q, v as Q, { causal: true, mask: mask as Tensor<'u8'> }),
      value: (q, k, v, mask) => attended([q, k, v], { causal: true, mask: mask }),
    }),
  ],
  refusals: [
    refusal(
      [
        [2, 3, 4],
        [2, 3, 5],
        [2, 3, 4],
      ],
      plain,
      /attention: expected q and k of the same features/,
    ),
    refusal(
      [
        [2, 3, 4],
        [2, 5, 4],
        [2, 3, 4],
      ],
      plain,
      /attention: expected as many values as keys/,
    ),
    refusal(
      [
        [2, 3, 4],
        [3, 3, 4],
        [3, 3, 4],
      ],
      plain,
      /attention: expected q, k and v of the same leading extents/,
    ),
    refusal(
      [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
      plain,
      /attention: expected q, k and v of one rank of at least 3/,
    ),
    refusal(
      [
        [2, 3, 4],
        [2, 5, 4],
        [2, 5, 4],
      ],
      (q, k, v) => ops.attention(q as Q, k as Q, v as Q, { causal: true }),
      /attention: expected as many queries as keys where it is causal/,
    ),
    refusal(
      [[2, 3, 4], [2, 3, 4], [2, 3, 4], [2]],
      (q, k, v, n) => ops.attention(q as Q, k as Q, v as Q, { lengths: lengths(n) }),
      /attention: expected lengths of i32\[2\], got f32\[2\]/,
    ),
  ],
  tolerance,
}

export const attentionCases: readonly OpCase[] = [attention]
