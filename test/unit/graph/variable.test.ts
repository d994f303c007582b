// Variables are made once: outside of traces, or by something that keeps them.
import { describe, expect, test } from 'vitest'
import { feed, GraphError, keptBy, read, type Tensor, trace, Variable } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'

const variable = (label: string, role: 'parameter' | 'statistic' = 'parameter') =>
  new Variable<'f32', [2]>({ label, dtype: 'f32', shape: [2], role, init: () => ops.zeros([2]) })

describe('a variable that is made within a trace', () => {
  test.each(['parameter', 'statistic'] as const)('is refused as a %s, with the line and the way out', (role) => {
    const build = () => trace({ name: 'g' }, () => ({ y: ops.neg(read(variable('gain', role))) }))
    expect(build).toThrow(GraphError)
    expect(build).toThrow(
      /variable\[gain\]: expected to be made before tracing.*once, outside of.*variable\.test\.ts:\d+/,
    )
  })

  test('is refused of a layer too, whatever traces it', () => {
    const net = (x: Tensor) => nn.linear(4, 2)(x as Tensor<'f32', [number, 4]>)
    expect(() => nn.summary(net as never, { x: [1, 4] })).toThrow(/variable\[w\]: expected to be made before tracing/)
    const lstm = (x: Tensor) => nn.lstm({ units: 2 })(x as Tensor<'f32', [number, number, 4]>)
    expect(() => nn.summary(lstm as never, { x: [3, 1, 4] })).toThrow(/variable\[u\]/)
  })

  test('leaves the next trace as it was', () => {
    expect(() => trace({ name: 'g' }, () => ({ y: read(variable('w')) }))).toThrow(GraphError)
    expect(variable('w').label).toBe('w')
  })
})

describe('keptBy', () => {
  const y = (of: () => Variable<'f32', [2]>) =>
    trace({ name: 'g' }, () => ({ y: ops.add(feed('x', 'f32', [2]), read(of())) })).states[0]?.variable

  test('gives the same variable at every trace, for each owner and key', () => {
    const [first, second] = [{}, {}]
    const of = (owner: object, key: string) => y(() => keptBy(owner, key, () => variable(key)))
    expect(of(first, 'h')).toBeDefined()
    expect(of(first, 'h')).toBe(of(first, 'h'))
    expect(of(first, 'h')).not.toBe(of(first, 'c'))
    expect(of(first, 'h')).not.toBe(of(second, 'h'))
  })

  test('allows no other variable, before it or behind it', () => {
    const owner = {}
    expect(() => y(() => [keptBy(owner, 'h', () => variable('h')), variable('w')][1]!)).toThrow(/variable\[w\]/)
    expect(() =>
      y(() =>
        keptBy(owner, 'c', () => {
          throw new Error('no memory')
        }),
      ),
    ).toThrow('no memory')
    expect(() => y(() => variable('w'))).toThrow(/variable\[w\]/)
  })
})
