// What a random graph can grow by: each rule looks for operands that fit and gives new tensors, or none.
import { constant, count, type DType, isFloat, type Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { binary, type F, unary } from './formulas.js'
import type { Draw } from './random-graph.js'

export interface Rule {
  readonly name: string
  apply(draw: Draw): readonly Tensor[]
}

type Images = Tensor<'f32', [number, number, number, number]>
type Matrix = Tensor<'f32', [number, number]>

const float = (t: Tensor) => isFloat(t.dtype)
const small = 4096

/** One float operand that fits. */
function one(
  name: string,
  fits: (t: Tensor) => boolean,
  build: (x: F, draw: Draw) => Tensor | readonly Tensor[],
): Rule {
  return {
    name,
    apply: (draw) => {
      const x = draw.pick((t) => float(t) && fits(t))
      if (x === undefined) return []
      const result = build(x as F, draw)
      return Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor]
    },
  }
}

const any = () => true
const images = (t: Tensor) => t.rank === 4
const roomy = (t: Tensor) => images(t) && (t.shape[2] ?? 0) >= 3 && (t.shape[3] ?? 0) >= 3
const batched = (t: Tensor) => t.rank === 2 || t.rank === 4
const several = (t: Tensor) => batched(t) && count(t.shape) >= 2 * (t.shape[1] ?? 1)
const matrix = (t: Tensor) => t.rank === 2
const ranked = (t: Tensor) => t.rank > 0
const framed = (t: Tensor) => t.rank === 3 && (t.shape[2] ?? 0) > 1 && count(t.shape) <= 512
const sized = (t: Tensor) => t.rank > 0 && count(t.shape) <= small

/** Another tensor of the same type with this shape, or one that broadcasts to it. */
function partner(draw: Draw, x: Tensor): F {
  const fits = (t: Tensor) => t.dtype === x.dtype && t.shape.join() === x.shape.join()
  if (draw.chance(0.7)) return (draw.pick(fits) ?? x) as F
  return draw.like(
    x.dtype,
    draw.of(
      x.shape.slice(draw.below(x.rank + 1)),
      x.shape.map((n) => (draw.chance(0.5) ? 1 : n)),
    ),
  )
}

const conv: Rule = one('conv2d', images, (x, draw) => {
  const channels = x.shape[1] ?? 1
  const groups = channels % 4 === 0 && draw.chance(0.2) ? 2 : 1
  const outputs = draw.of(4, 6, 8, 16) // even: for two groups
  const kernel = roomy(x) ? draw.of(1, 3) : 1
  const w = draw.like(x.dtype, [outputs, channels / groups, kernel, kernel]) as Images
  const bias = draw.chance(0.5) ? { bias: draw.float32([outputs]) } : {}
  const y = ops.conv2d(x as Images, w, { padding: draw.of(0, 1), stride: draw.of(1, 1, 2), groups, ...bias })
  const scaled = ops.mul(y as F, 1 / Math.sqrt((channels / groups) * kernel * kernel))
  return draw.chance(0.4) ? ops.relu(scaled) : scaled
})

const product: Rule = one(
  'matmul',
  (t) => t.rank >= 2 && t.rank <= 3,
  (x, draw) => {
    const inner = x.shape.at(-1) ?? 1
    const outputs = draw.of(3, 8, 16, 33)
    const transposeB = draw.chance(0.5)
    const w = draw.like(x.dtype, transposeB ? [outputs, inner] : [inner, outputs]) as Matrix
    const bias = draw.chance(0.4) ? { bias: draw.float32([outputs]) } : {}
    const y = ops.matmul(x as Matrix, w, { transposeB, ...bias } as object) as unknown as F
    const scaled = ops.mul(y, 1 / Math.sqrt(inner))
    return draw.chance(0.3) ? draw.of(ops.relu, ops.tanh, ops.sigmoid)(scaled) : scaled
  },
)

/** Recurrent layers take gates [T, N, parts * H]. */
function recurrent(
  name: string,
  parts: number,
  build: (draw: Draw, gates: F, dtype: DType, extents: number[]) => F,
): Rule {
  return {
    name,
    apply: (draw) => {
      const [steps, streams, units] = [draw.of(1, 2, 5), draw.of(1, 3), draw.of(4, 8, 16)]
      const dtype = draw.of<DType>('f32', 'f32', 'bf16')
      return [build(draw, draw.like(dtype, [steps, streams, parts * units]), dtype, [steps, streams, units])]
    },
  }
}

const options = (draw: Draw, [steps = 1, streams = 1]: readonly number[]) => ({
  reverse: draw.chance(0.3),
  ...(draw.chance(0.3) ? { mask: ops.cast(draw.indices([steps, streams], 2), 'u8') } : {}),
})

/** A table of two words or more behind a few words of word2vec, which has no gradient. */
export function wordStep(draw: Draw, table: Tensor<'f32'>): F {
  const [words = 2, width = 1] = table.shape
  const nodes = words - 1
  const ways = Array.from({ length: words + 1 }, (_, i) => Math.min(2 * i, 2 * nodes))
  const isTree = draw.chance(0.5)
  const among = isTree
    ? { starts: constant('i32', [words + 1], ways), codes: draw.indices([2 * nodes], 2 * nodes) }
    : { chosen: draw.float32([words]), other: draw.indices([words], words), count: draw.of(1, 5) }
  const options = {
    model: draw.of('skipGram', 'cbow'),
    window: draw.of(1, 3),
    kept: draw.float32([words]),
    rate: 0.1,
  } as const
  const tokens = ops.sub(draw.indices([12], words + 1), 1)
  const outputs = draw.float32([isTree ? nodes : words, width])
  return ops.stopGradient(ops.word2vec(table, outputs, tokens, { ...options, among }).inputs)
}

const lstm = recurrent('lstm', 4, (draw, gates, dtype, extents) => {
  const [, streams = 1, units = 1] = extents
  const w = ops.mul(draw.like(dtype, [units, 4 * units]), 0.3) as Matrix
  const first = { h: draw.like(dtype, [streams, units]), c: draw.float32([streams, units]) }
  const { h, c } = ops.lstm(gates, w, first, options(draw, extents))
  return draw.chance(0.5) ? h : c
})
const rnn = recurrent('rnn', 1, (draw, gates, dtype, extents) => {
  const [, streams = 1, units = 1] = extents
  const w = ops.mul(draw.like(dtype, [units, units]), 0.3) as Matrix
  return ops.rnn(gates, w, draw.like(dtype, [streams, units]), options(draw, extents))
})
const gru = recurrent('gru', 3, (draw, gates, dtype, extents) => {
  const [, streams = 1, units = 1] = extents
  const w = ops.mul(draw.like(dtype, [units, 3 * units]), 0.3) as Matrix
  return ops.gru(gates, w, draw.float32([3 * units]), draw.like(dtype, [streams, units]), options(draw, extents))
})

const axis = (draw: Draw, x: Tensor) => draw.below(x.rank)
const window = (draw: Draw) => ({ kernel: draw.of(2, 3), stride: draw.of(1, 2), padding: draw.of(0, 1) })

const movers: readonly Rule[] = [
  one('reshape', any, (x, draw) => {
    const n = count(x.shape)
    const shapes = [[n], [1, n], ...(n % 2 === 0 ? [[2, n / 2]] : []), ...(n % 4 === 0 ? [[2, 2, n / 4]] : [])]
    return ops.reshape(x, draw.of(...shapes))
  }),
  one('transpose', ranked, (x, draw) => {
    const perm = x.shape.map((_, i) => i)
    for (let i = perm.length - 1; i > 0; i--) {
      const j = draw.below(i + 1)
      ;[perm[i], perm[j]] = [perm[j] ?? 0, perm[i] ?? 0]
    }
    return ops.transpose(x, perm)
  }),
  one(
    'broadcastTo',
    (t) => t.rank < 4 && count(t.shape) <= 256,
    (x, draw) => ops.broadcastTo(x, [draw.of(1, 2, 3), ...x.shape]),
  ),
  one('slice', ranked, (x, draw) => {
    const size = x.shape.map((n, i) => (i === 0 || draw.chance(0.3) ? 1 + draw.below(n) : n))
    return ops.slice(
      x,
      x.shape.map((n, i) => draw.below(n - (size[i] ?? 1) + 1)),
      size,
    )
  }),
  one('concat', sized, (x, draw) =>
    ops.concat(
      [x, partner(draw, x), x].filter((t) => t.shape.join() === x.shape.join()),
      axis(draw, x),
    ),
  ),
  one('pad', sized, (x, draw) => {
    const sides = () => x.shape.map(() => draw.below(2))
    return ops.pad(x, sides(), sides(), draw.of(0, 0.5))
  }),
]

const averagePool: Rule = one('avgPool2d', roomy, (x, draw) => {
  const { kernel, stride, padding } = window(draw)
  return ops.avgPool2d(x as Images, kernel, { stride, padding, countPadding: draw.chance(0.5) })
})

const maxPool = one('maxPool2d', roomy, (x, draw) => {
  const { kernel, stride, padding } = window(draw)
  return ops.maxPool2d(x as Images, kernel, { stride, padding })
})

export const rules: readonly Rule[] = [
  one('unary', any, (x, draw) => draw.of(...unary)(x)),
  one('unary', any, (x, draw) => draw.of(...unary)(x)),
  one('binary', any, (x, draw) => draw.of(...binary)(x, partner(draw, x))),
  one('binary', any, (x, draw) => draw.of(...binary)(x, partner(draw, x))),
  one('several', any, (x, draw) => {
    const [y, z] = [draw.of(...binary)(x, partner(draw, x)), draw.of(...unary)(x)]
    return draw.chance(0.5) ? [y, z, draw.of(...binary)(y, z)] : [y, z]
  }),
  one('cast', any, (x, draw) => ops.cast(x, draw.of('f32', 'bf16'))),
  one('floor', any, (x) => ops.mul(ops.add(ops.floor(ops.mul(x, 0.01)), ops.sign(ops.add(ops.abs(x), 1))), 0.5)),
  one('sum', ranked, (x, draw) => {
    const axes = draw.chance(0.3) ? x.shape.map((_, i) => i) : [axis(draw, x)]
    return ops.mean(x, axes, { keepDims: draw.chance(0.5) })
  }),
  one('max', ranked, (x, draw) => ops.max(x, [axis(draw, x)], { keepDims: draw.chance(0.5) })),
  one('norm', any, (x) => ops.div(ops.norm(x), Math.sqrt(count(x.shape)))),
  one('argmax', ranked, (x, draw) => {
    const at = ops.argmax(draw.like(x.dtype, x.shape), axis(draw, x))
    return ops.tanh(ops.cast(at, 'f32'))
  }),
  ...movers,
  product,
  conv,
  conv,
  maxPool,
  maxPool,
  averagePool,
  averagePool,
  one('lrn', images, (x, draw) => ops.lrn(x as Images, { size: draw.of(1, 3, 5), alpha: 0.1, beta: 0.75, k: 1 })),
  one('batchNorm', several, (x, draw) => {
    const [channels, residual] = [[x.shape[1] ?? 1], draw.chance(0.3) ? partner(draw, x) : undefined]
    const { y, mean, variance } = ops.batchNorm(x, draw.float32(channels), draw.float32(channels), { epsilon: 0.1 })
    const sum = residual ? ops.add(y, residual) : y
    const bounded = ops.mul(draw.chance(0.5) ? ops.relu(sum) : sum, 0.5)
    return draw.chance(0.3) ? [bounded, ops.tanh(mean), ops.tanh(variance)] : bounded
  }),
  one('channelAffine', batched, (x, draw) => {
    const channels = [x.shape[1] ?? 1]
    const y = ops.channelAffine(x, ops.tanh(draw.float32(channels)), draw.float32(channels))
    return ops.mul(draw.chance(0.5) ? ops.relu(y) : y, 0.5)
  }),
  one(
    'groupNorm',
    (t) => t.rank >= 2,
    (x, draw) => {
      const channels = x.shape[1] ?? 1
      const vector = () => draw.float32([channels])
      const groups = channels % 2 === 0 ? draw.of(1, 2, channels) : 1
      return ops.mul(ops.groupNorm(x, groups, vector(), vector(), { epsilon: 0.1 }), 0.3)
    },
  ),
  one('layerNorm', ranked, (x, draw) => {
    const vector = () => draw.float32(x.shape.slice(-1))
    return ops.mul(ops.layerNorm(x, vector(), vector(), { epsilon: 0.1 }), 0.3)
  }),
  one('cumsum', ranked, (x) => ops.div(ops.cumsum(x), x.shape.at(-1) ?? 1)),
  one('topK', ranked, (x, draw) => {
    const { values, indices } = ops.topK(x, 1 + draw.below(Math.min(3, x.shape.at(-1) ?? 1)))
    return draw.chance(0.5) ? values : [values, ops.tanh(ops.cast(indices, 'f32'))]
  }),
  one('unfold', roomy, (x, draw) => ops.unfold(x as Images, window(draw))),
  one('softmax', ranked, (x, draw) => draw.of(ops.softmax, (t: F) => ops.mul(ops.logSoftmax(t), 0.2))(x)),
  one('crossEntropy', ranked, (x, draw) => {
    const classes = x.shape.at(-1) ?? 1
    const rows = ops.reshape(x, [-1, classes])
    const labels = draw.indices([rows.shape[0]], classes) as never
    return ops.mul(ops.crossEntropy(rows, labels, { smoothing: draw.of(0, 0.2) }), 0.3)
  }),
  one('ctc', framed, (x, draw) => {
    const [frames = 1, rows = 1, classes = 1] = x.shape
    const lengths = [draw.indices([rows], 4), draw.indices([rows], frames + 1)] as const
    const options = { blank: classes - 1, impossible: 'infinity' } as const
    // 0 where there is no way.
    return ops.exp(ops.neg(ops.ctc(x, draw.indices([rows, 3], classes - 1), ...lengths, options)))
  }),
  one('gather', matrix, (x, draw) => ops.gather(x as Matrix, draw.indices(draw.of([5], [2, 3]), x.shape[0] ?? 1))),
  one('scatterAdd', matrix, (x, draw) => {
    const rows = draw.of(3, 9)
    return ops.tanh(ops.scatterAdd(draw.indices([x.shape[0] ?? 1], rows), x, rows) as Tensor as F)
  }),
  one('coalesce', matrix, (x, draw) => ops.mul(ops.coalesce(draw.indices([x.shape[0] ?? 1], 3), x, 3), 0.3)),
  one('setRows', matrix, (x, draw) => {
    const index = draw.indices(draw.of([5], [2, 3]), x.shape[0] ?? 1)
    return ops.setRows(x, index, draw.like(x.dtype, [...index.shape, x.shape[1] ?? 1]))
  }),
  {
    name: 'word2vec',
    apply: (draw) => {
      const x = draw.pick((t) => float(t) && matrix(t) && (t.shape[0] ?? 0) > 1 && count(t.shape) <= small)
      return x === undefined ? [] : [ops.mul(wordStep(draw, ops.cast(x as F, 'f32')), 0.3)]
    },
  },
  lstm,
  rnn,
  gru,
  one('dropout', any, (x, draw) => ops.dropout(x, draw.of(0.2, 0.5))),
  {
    name: 'random',
    apply: (draw) => {
      const shape = [draw.of(2, 4), draw.of(4, 8)]
      return [draw.chance(0.5) ? ops.randomUniform(shape) : ops.randomNormal(shape)]
    },
  },
]
