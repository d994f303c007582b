// What the normalise pass moves into normalisations and their gradients, and what it must leave.
import { describe, expect, it } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { normalise } from '../../../lib/compile/passes/normalise.js'
import { feed, type Graph, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { uneven } from '../nn/support.js'

type F = Tensor<'f32'>
const shape = [3, 4]
const image = (name: string): F => feed(name, 'f32', shape)
const channel = (name: string): F => feed(name, 'f32', [4])

const normal = (x: F, name: string): F => ops.batchNorm(x, channel(`${name}scale`), channel(`${name}shift`)).y

/** The graph before and after the pass, which give the same values. */
function both(build: () => Record<string, Tensor>): { before: string[]; after: string[]; graph: Graph } {
  const first = dce(trace({ name: 'g', mode: 'train' }, build))
  const graph = normalise(first)
  verify(graph)
  const feeds = Object.fromEntries(first.feeds.map(({ name, tensor }, i) => [name, uneven(tensor.shape, i)]))
  const [a, b] = [interpret(first, feeds).fetches, interpret(graph, feeds).fetches]
  for (const [name, { data }] of Object.entries(a)) {
    data.forEach((value, i) => {
      expect(Math.abs(value - (b[name]?.data[i] ?? NaN)), name).toBeLessThan(1e-12)
    })
  }
  const names = ({ nodes }: Graph) => nodes.map(({ op }) => op.name)
  return { before: names(first), after: names(graph), graph }
}

describe('a relu and a residual', () => {
  it('go into the normalisation before them', () => {
    const { after, graph } = both(() => ({ y: ops.relu(ops.add(normal(image('x'), 'a'), image('r'))) }))
    expect(after).toEqual(['batchNorm'])
    expect(graph.nodes[0]?.attrs['activation']).toBe('relu')
    expect(graph.nodes[0]?.inputs.length).toBe(4)
  })

  it('go into an affine map, alone too, on either side of the sum', () => {
    const map = (x: F) => ops.channelAffine(x, channel('scale'), channel('shift'))
    expect(both(() => ({ y: ops.relu(map(image('x'))) })).after).toEqual(['channelAffine'])
    const { after, graph } = both(() => {
      const [x, r] = [image('x'), image('r')]
      return { y: ops.add(r, map(x)) }
    })
    expect(after).toEqual(['channelAffine'])
    expect(graph.nodes[0]?.attrs['activation']).toBe('none')
  })

  it('keep the statistics where others read them', () => {
    const { after } = both(() => {
      const { y, mean, variance } = ops.batchNorm(image('x'), channel('scale'), channel('shift'))
      const statistics = ops.add(mean, variance)
      return { y: ops.relu(y), statistics }
    })
    expect(after).toEqual(['batchNorm', 'add'])
  })

  it('of two normalisations, only the later one takes the sum', () => {
    const { after, graph } = both(() => ({ y: ops.relu(ops.add(normal(image('x'), 'a'), normal(image('z'), 'b'))) }))
    expect(after).toEqual(['batchNorm', 'batchNorm'])
    expect(graph.nodes.map(({ inputs }) => inputs.length)).toEqual([3, 4])
  })

  it.each<[string, (y: F) => Record<string, Tensor>]>([
    ['another reader', (y) => ({ y: ops.relu(y), z: ops.tanh(y) })],
    ['a fetch', (y) => ({ y, z: ops.relu(y) })],
    ['a sum that broadcasts', (y) => ({ y: ops.add(y, channel('r')) })],
    ['a residual that is made later', (y) => ({ y: ops.add(y, ops.tanh(image('r'))) })],
    ['its own sum', (y) => ({ y: ops.add(y, y) })],
  ])('stay where there is %s', (_name, build) => {
    const { before, after } = both(() => build(normal(image('x'), 'a')))
    expect(after).toEqual(before)
  })
})

describe("a relu's gradient", () => {
  const slope = (build: (x: F) => F) =>
    both(() => {
      const x = image('x')
      const loss = ops.sum(ops.mul(build(x), image('weight')))
      return { loss, dx: grad(loss, x) }
    })

  it('goes into that of the normalisation', () => {
    const { before, after } = slope((x) => ops.relu(normal(x, 'a')))
    expect(before).toContain('reluGrad')
    expect(after).not.toContain('reluGrad')
    expect(after).not.toContain('relu')
  })

  it('stays where a residual joins in, of which the normalisation knows nothing', () => {
    const { after } = slope((x) => ops.relu(ops.add(normal(x, 'a'), x)))
    expect(after).toContain('reluGrad')
    expect(after).not.toContain('relu')
  })
})
