// Differentiation as a walk over a graph: accumulation, zeros, refusals, origins, depth, and its own derivative.
import { describe, expect, test } from 'vitest'
import {
  at,
  feed,
  type Graph,
  GraphError,
  scope,
  ShapeError,
  Site,
  type Tensor,
  trace,
  verify,
} from '../../../lib/graph/index.js'
import { grad, vjp } from '../../../lib/autodiff/index.js'
import * as ops from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

type Vector = Tensor<'f32', [number]>

function graphOf(build: (x: Vector, y: Vector) => Readonly<Record<string, Tensor>>): Graph {
  const graph = trace({ name: 'g' }, () => build(feed('x', 'f32', [3]), feed('y', 'f32', [3])))
  verify(graph)
  return graph
}

/** Fetches at x = [1, 2, 3], y = [5, -1, 2]. */
function run(build: (x: Vector, y: Vector) => Readonly<Record<string, Tensor>>): Record<string, number[]> {
  const { fetches } = interpret(graphOf(build), { x: ndarray([3], [1, 2, 3]), y: ndarray([3], [5, -1, 2]) })
  return Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, [...data]]))
}

describe('grad', () => {
  test('adds the gradients of all uses', () => {
    expect(run((x) => ({ dx: grad(ops.sum(ops.add(ops.mul(x, x), x)), x) }))).toEqual({ dx: [3, 5, 7] })
  })

  test('answers in the shape of the question: one, a list, a record', () => {
    const loss = (x: Vector, y: Vector) => ops.sum(ops.mul(x, y))
    expect(run((x, y) => ({ dx: grad(loss(x, y), x) }))).toEqual({ dx: [5, -1, 2] })
    expect(
      run((x, y) => {
        const [dy, dx] = grad(loss(x, y), [y, x] as const)
        return { dx, dy }
      }),
    ).toEqual({ dx: [5, -1, 2], dy: [1, 2, 3] })
    expect(run((x, y) => grad(loss(x, y), { a: x, b: y }))).toEqual({ a: [5, -1, 2], b: [1, 2, 3] })
  })

  test('is zero where the loss does not reach', () => {
    expect(run((x, y) => ({ dy: grad(ops.sum(x), y) }))).toEqual({ dy: [0, 0, 0] })
    expect(run((x) => ({ dx: grad(ops.sum(ops.stopGradient(x)), x) }))).toEqual({ dx: [0, 0, 0] })
  })

  test('is taken by intermediate values, together with their origins', () => {
    const fetched = run((x) => {
      const h = ops.mul(x, 2)
      return grad(ops.sum(ops.mul(h, h)), { h, x })
    })
    expect(fetched).toEqual({ h: [4, 8, 12], x: [8, 16, 24] })
  })

  test('of the loss itself is one', () => {
    const fetched = run((x) => {
      const loss = ops.sum(x)
      return { one: grad(loss, loss) }
    })
    expect(fetched).toEqual({ one: [1] })
  })

  test('can be differentiated again', () => {
    const fetched = run((x) => {
      const first = grad(ops.sum(ops.mul(ops.mul(x, x), x)), x)
      const second = grad(ops.sum(first), x)
      return { first, second, third: grad(ops.sum(second), x) }
    })
    expect(fetched).toEqual({ first: [3, 12, 27], second: [6, 12, 18], third: [6, 6, 6] })
  })

  test('goes through several outputs of a node', () => {
    const graph = trace({ name: 'g' }, () => {
      const logits = feed('logits', 'f32', [2, 3])
      const loss = ops.mean(ops.crossEntropy(logits, feed('labels', 'i32', [2])))
      return { d: grad(loss, logits) }
    })
    const feeds = { logits: ndarray([2, 3], [0, 0, 0, 0, 0, 0]), labels: ndarray([2], [0, 2]) }
    const third = 1 / 6
    const expected = [third - 0.5, third, third, third, third, third - 0.5]
    expect([...interpret(graph, feeds).fetches['d']!.data]).toEqual(
      expected.map((x) => expect.closeTo(x, 14) as number),
    )
  })

  test('leaves branches alone that no gradient needs', () => {
    const graph = graphOf((x, y) => ({ dx: grad(ops.sum(ops.mul(x, ops.exp(y))), x) }))
    const names = graph.nodes.map(({ op }) => op.name)
    expect(names.filter((name) => name === 'exp')).toHaveLength(1)
  })

  test('walks graphs that are deeper than the call stack', () => {
    // A fixed origin: taking a stack trace 20,000 times is what would take long.
    const deep = (x: Vector) =>
      at({ path: '', site: new Site() }, () => {
        let h: Tensor = x
        for (let i = 0; i < 20_000; i++) h = ops.add(h, x)
        return grad(ops.sum(h), x)
      })
    const graph = trace({ name: 'g' }, () => ({ dx: deep(feed('x', 'f32', [3])) }))
    expect(graph.nodes.length).toBeGreaterThan(39_000)
  })

  test('gives its nodes the path and the line of the node that they belong to', () => {
    const graph = trace({ name: 'g' }, () => {
      const x = feed('x', 'f32', [3])
      const h = scope({}, 'layer', undefined, () => ops.tanh(x))
      return { dx: grad(ops.sum(h), x) }
    })
    const forward = graph.nodes.find(({ op }) => op.name === 'tanh')
    const backward = graph.nodes.filter(({ path, op }) => path === 'layer1' && op.name === 'mul')
    expect(backward.length).toBeGreaterThan(0)
    expect(backward.every(({ site }) => site !== undefined && site === forward?.site)).toBe(true)
  })
})

describe('refusals', () => {
  const refuses = (build: (x: Vector, y: Vector) => Tensor, error: new (message: string) => Error, message: RegExp) => {
    const attempt = () => graphOf((x, y) => ({ d: build(x, y) }))
    expect(attempt).toThrow(error)
    expect(attempt).toThrow(message)
  }

  test('a loss that is not a scalar', () => {
    refuses((x) => grad(x, x), ShapeError, /grad: expected a float scalar as loss, got f32\[3\]/)
  })

  test('a loss of integers', () => {
    refuses((x) => grad(ops.argmax(x), x), ShapeError, /expected a float scalar as loss, got i32\[\]/)
  })

  test('integers to differentiate by', () => {
    refuses((x) => grad(ops.sum(x), ops.argmax(x)), ShapeError, /expected f32 or bf16 to differentiate by, got i32\[\]/)
  })

  test('an op without derivative on the way, with its reason', () => {
    const twice = () =>
      trace({ name: 'g' }, () => {
        const x = feed('x', 'f32', [1, 1, 4, 4])
        const first = grad(ops.sum(ops.square(ops.maxPool2d(x, 2))), x)
        return { d: grad(ops.sum(ops.square(first)), x) }
      })
    expect(twice).toThrow(GraphError)
    expect(twice).toThrow(
      /maxPool2dGrad\[\]: expected a differentiable op on the way to the loss, got .*: no kernel gathers/,
    )
  })

  test('but not beside the way', () => {
    const graph = graphOf((x, y) => ({ d: grad(ops.sum(ops.mul(x, ops.cast(ops.argmax(y), 'f32'))), x) }))
    expect(graph.fetches).toHaveLength(1)
  })

  test('a cotangent of another type', () => {
    refuses((x, y) => vjp([x], [ops.sum(y)], x), ShapeError, /expected a cotangent f32\[3\], got f32\[\]/)
    refuses((x) => vjp([x], [], x), ShapeError, /vjp: expected 1 cotangents, got 0/)
  })
})
