// Chains of moves over random extents of up to five axes, and sums and maxima of what they give, are those of the references, to the bit: which axes a
// kernel takes together depends on all extents and strides at once, and cases have but a few.
import { describe, expect, it } from 'vitest'
import { constant, count, type DType, feed, type Shape, type Tensor, trace } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { Draw } from '../fuzz/random-graph.js'
import { difference } from '../support/compare.js'
import { backends, runNative } from '../support/native.js'
import { ndarray } from '../support/ndarray.js'
import { inputName, outputsOf } from '../support/samples.js'

type F = Tensor<'f32'>
const LARGEST = 3000
const CHAINS = 150

/** What a chain is drawn from. */
class Moves extends Draw {
  constructor(seed: number) {
    super(seed, 'f32')
  }
  /** More often than not 0, so that whole axes stand beside others. */
  few(n: number): number {
    return this.chance(0.6) ? 0 : this.below(n + 1)
  }
  shape(): number[] {
    return Array.from({ length: 1 + this.below(5) }, () => 1 + this.below(6))
  }
  order(rank: number): number[] {
    const left = Array.from({ length: rank }, (_, i) => i)
    return Array.from({ length: rank }, () => left.splice(this.below(left.length), 1)[0]!)
  }
}

const moves: readonly ((x: F, draw: Moves) => F)[] = [
  (x, draw) => ops.transpose(x, draw.order(x.rank)),
  (x, draw) => {
    const size = x.shape.map((extent) => extent - Math.min(extent - 1, draw.few(3)))
    const start = x.shape.map((extent, i) => draw.below(extent - size[i]! + 1))
    return ops.slice(x, start, size)
  },
  (x, draw) => {
    const sides = () => x.shape.map(() => draw.few(2))
    return ops.pad(x, sides(), sides(), draw.below(3))
  },
  (x, draw) => ops.concat([x, x, x].slice(draw.below(2)), draw.below(x.rank)),
  (x, draw) => ops.broadcastTo(x, [1 + draw.below(3), ...x.shape]),
  (x, draw) => {
    const at = draw.below(x.rank)
    const [left, right] = [x.shape.slice(0, at), x.shape.slice(at)]
    return ops.reshape(x, [...left, count(right)])
  },
]

/** The moved x, and of floats a sum and a maximum over some of its axes. */
function chain(x: Tensor, draw: Moves): Record<string, Tensor> {
  let moved = x as F
  for (let i = 1 + draw.below(4); i > 0; i--) {
    const next = moves[draw.below(moves.length)]!(moved, draw)
    if (next.rank <= 6 && count(next.shape) <= LARGEST) moved = next
  }
  if (x.dtype !== 'f32') return { moved }
  const axes = draw.order(moved.rank).slice(0, 1 + draw.below(moved.rank))
  const keepDims = draw.chance(0.5)
  const sum = ops.sum(moved, axes, { keepDims })
  return { moved, sum, max: ops.max(moved, axes[0], { keepDims }), again: ops.add(moved, constant('f32', [], 1)) }
}

describe.each(['f32', 'bf16', 'i32', 'u8'] as const)('moves of %s', (dtype: DType) => {
  for (const { name, reason } of backends()) {
    it.skipIf(reason !== undefined)(`parity, ${name}, of ${CHAINS} chains`, { timeout: 120_000 }, async () => {
      for (let seed = 1; seed <= CHAINS; seed++) {
        const draw = new Moves(seed)
        const shape: Shape = draw.shape()
        const graph = trace({ name: 'moves' }, () => chain(feed(inputName(0), dtype, shape), draw))
        // Whole numbers, which are exact in every type, and so are their sums.
        const x = ndarray(
          shape,
          Array.from({ length: count(shape) }, () => draw.below(100)),
        )
        const wanted = outputsOf(graph, [x])
        const got = await runNative(graph, [x], name)
        for (const [i, want] of wanted.entries()) {
          const wrong = difference(got[i]!, want, { tolerance: 0, relativeTo: 'element' })
          expect(wrong, `chain ${seed}, ${graph.fetches[i]!.name}`).toBeUndefined()
        }
      }
    })
  }
})
