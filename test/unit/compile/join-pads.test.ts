// joinPads: the gradient of what a loop reads slice by slice is one concat, of the same numbers to the last bit.
import { describe, expect, it } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { fold } from '../../../lib/compile/passes/fold.js'
import { joinPads } from '../../../lib/compile/passes/join-pads.js'
import { feed, type Graph, printGraph, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { generator, uniform } from '../../support/random.js'

type Sequence = Tensor<'f32', [number, number, number]>
const [steps, rows, width] = [6, 2, 3]
const whole = [steps, rows, width] as const

const part = (x: Sequence, start: number, size = 1) => ops.slice(x, [start, 0, 0], [size, rows, width])

/** The graph before and after the pass, which must mean the same to the bit. */
function joined(build: (x: Sequence) => Record<string, Tensor>): { before: Graph; after: Graph; names: string[] } {
  const before = dce(fold(trace({ name: 'g' }, () => build(feed('x', 'f32', whole)))))
  const after = joinPads(before)
  verify(after)
  expect(printGraph(joinPads(after))).toBe(printGraph(after))
  const x = ndarray(whole, uniform(-1, 1)(whole, generator(5)))
  const run = (graph: Graph) => interpret(graph, { x }, {}).fetches
  expect(run(after)).toEqual(run(before))
  return { before, after, names: after.nodes.map(({ op }) => op.name) }
}

describe('joinPads', () => {
  it('makes one concat of the gradient of all slices', () => {
    const { before, names } = joined((x) => {
      const squares = Array.from({ length: steps }, (_, t) => ops.sum(ops.exp(part(x, t))))
      const loss = squares.reduce((sum, one, t) => ops.add(sum, ops.mul(one, t + 1)))
      return { dx: grad(loss, x) }
    })
    expect(before.nodes.filter(({ op }) => op.name === 'pad')).toHaveLength(steps)
    expect(names).not.toContain('pad')
    expect(names.filter((name) => name === 'concat')).toHaveLength(1)
  })

  it('fills gaps with zeros, in any order, and adds what is no pad once', () => {
    const { names } = joined((x) => {
      const parts = [part(x, 4), part(x, 1, 2), part(x, 0)].map((one) => ops.sum(ops.exp(one)))
      const loss = ops.add(
        parts.reduce((sum, one) => ops.add(sum, one)),
        ops.sum(ops.tanh(x)),
      )
      return { dx: grad(loss, x) }
    })
    expect(names).not.toContain('pad')
    expect(names.filter((name) => name === 'concat')).toHaveLength(1)
  })

  it.each<[string, (x: Sequence) => Tensor]>([
    ['pads that overlap', (x) => sumOf([part(x, 0, 2), part(x, 1, 2), part(x, 4)])],
    ['pads of other axes', (x) => sumOf([part(x, 0), part(x, 2), ops.slice(x, [0, 1, 0], [steps, 1, width])])],
    ['two pads', (x) => sumOf([part(x, 0), part(x, 1)])],
  ])('leaves %s', (_, loss) => {
    const { before, after } = joined((x) => ({ dx: grad(loss(x), x) }))
    expect(printGraph(after)).toBe(printGraph(before))
  })

  it('leaves a sum of pads that somebody else reads', () => {
    const { names } = joined((x) => {
      const pads = [0, 2, 4].map((t) => ops.pad(part(x, t), [t, 0, 0], [steps - 1 - t, 0, 0]))
      const two = ops.add(pads[0]!, pads[1]!)
      return { two, all: ops.add(two, pads[2]!) }
    })
    expect(names.filter((name) => name === 'pad')).toHaveLength(3)
  })

  it('keeps the gradient of a cell as large as its steps', () => {
    const cell = nn.peepholeLstm({ units: 4, inputs: width })
    const nodes = (length: number) => {
      const graph = trace({ name: 'g' }, () => {
        const x = feed('x', 'f32', [length, rows, width])
        return { dx: grad(ops.sum(cell(x)), x) }
      })
      return joinPads(dce(fold(graph))).nodes.filter(({ op }) => op.name === 'pad').length
    }
    expect(nodes(12)).toBe(0)
  })
})

function sumOf(parts: readonly Tensor[]): Tensor<'f32', []> {
  const sums = parts.map((one) => ops.sum(ops.exp(one)) as Tensor<'f32', []>)
  return sums.reduce((sum, one) => ops.add(sum, one))
}
