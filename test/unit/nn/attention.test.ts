// Multi-head attention: heads are parts of the features, calls may have a memory, and what it refuses.
import { describe, expect, test } from 'vitest'
import { feed, Names, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, type NDArray } from '../../support/ndarray.js'
import { paths, traced, uneven } from './support.js'

const x = uneven([2, 3, 4])
const memory = uneven([2, 5, 4], 1)
const names = ['query', 'key', 'value', 'out']
const states = Object.fromEntries(
  names.flatMap((name, i) => [
    [`attention1/${name}/w`, uneven([4, 4], i)],
    [`attention1/${name}/b`, uneven([4], 10 + i)],
  ]),
)

const linear = (input: NDArray, name: string): NDArray => {
  const [w, b] = [states[`attention1/${name}/w`]!, states[`attention1/${name}/b`]!]
  return fill(input.shape, ([n, t, o]) =>
    [0, 1, 2, 3].reduce((sum, i) => sum + at(input, n!, t!, i) * at(w, o!, i), at(b, o!)),
  )
}

/** Two heads of two features, key by key. */
function expected(from: NDArray, seen: (n: number, t: number, s: number) => boolean): NDArray {
  const [q, k, v] = [linear(x, 'query'), linear(from, 'key'), linear(from, 'value')]
  const keys = Array.from({ length: from.shape[1]! }, (_, s) => s)
  const joined = fill(x.shape, ([n, t, o]) => {
    const first = Math.floor(o! / 2) * 2
    const weights = keys.map((s) => {
      const product = [0, 1].reduce((sum, d) => sum + at(q, n!, t!, first + d) * at(k, n!, s, first + d), 0)
      return seen(n!, t!, s) ? Math.exp(product / Math.SQRT2) : 0
    })
    const total = weights.reduce((a, b) => a + b)
    return keys.reduce((sum, s) => sum + (weights[s]! / total) * at(v, n!, s, o!), 0)
  })
  return linear(joined, 'out')
}

function close(got: NDArray | undefined, want: NDArray): void {
  want.data.forEach((value, i) => {
    expect(got?.data[i]).toBeCloseTo(value, 10)
  })
}

describe('multiHeadAttention', () => {
  test('attends in each head to the sequence itself', () => {
    const graph = traced(nn.multiHeadAttention(4, 2, { causal: true }), [2, 3, 4])
    close(
      interpret(graph, { x }, states).fetches['y'],
      expected(x, (_n, t, s) => s <= t),
    )
  })

  test('attends to a memory of other lengths', () => {
    const layer = nn.multiHeadAttention(4, 2)
    const graph = trace({ name: 'net', names: new Names() }, () => ({
      y: layer.attend(feed('x', 'f32', [2, 3, 4]), {
        memory: feed('memory', 'f32', [2, 5, 4]),
        lengths: feed('lengths', 'i32', [2]),
      }),
    }))
    const lengths = [4, 2]
    const feeds = { x, memory, lengths: fill([2], ([n]) => lengths[n!]!) }
    close(
      interpret(graph, feeds, states).fetches['y'],
      expected(memory, (n, _t, s) => s < lengths[n]!),
    )
    // The next call knows nothing of it.
    expect(traced(layer, [2, 3, 4]).feeds.map(({ name }) => name)).toEqual(['x'])
  })

  test('has the weights of its four maps', () => {
    expect(paths(nn.multiHeadAttention(4, 2, { bias: false }), [1, 2, 4])).toEqual(
      names.map((name) => `attention1/${name}/w`),
    )
    expect(nn.multiHeadAttention(4, 2).parameters.length).toBe(8)
  })

  test('refuses heads that do not divide the features, and other extents', () => {
    expect(() => nn.multiHeadAttention(10, 4)).toThrow(
      'multiHeadAttention: expected heads that divide 10 features, got 4',
    )
    expect(() => nn.multiHeadAttention(4, 2, { dropout: 1 })).toThrow(
      'nn.multiHeadAttention[dropout]: expected a number from 0 to below 1, got 1',
    )
    expect(() => traced(nn.multiHeadAttention(4, 2), [2, 3, 5])).toThrow(
      'multiHeadAttention: expected x of f32[N, T, 4], got f32[2, 3, 5]',
    )
  })
})
