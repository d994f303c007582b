// Small doings that the tests of layers share.
import { expect } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import {
  constant,
  type DType,
  feed,
  Names,
  read,
  type Shape,
  type Tensor,
  trace,
  variablesRead,
} from '../../../lib/graph/index.js'
import type * as nn from '../../../lib/nn/index.js'
import { add, mul, sum } from '../../../lib/ops/index.js'
import { interpret, type Interpreted } from '../../support/interpreter.js'
import { type NDArray, ndarray } from '../../support/ndarray.js'

/** A step without its types: tests feed what the compiler would refuse. */
export function untyped(step: nn.Step): (x: Tensor) => Tensor {
  return step as unknown as (x: Tensor) => Tensor
}

/** Traces a network on one input `x` in evaluation mode; its fetch is `y`. */
export function traced(net: nn.Step, shape: Shape, dtype: DType = 'f32') {
  return trace({ name: 'net', names: new Names() }, () => ({ y: untyped(net)(feed('x', dtype, shape)) }))
}

/** Extents of the output. */
export function outputShape(net: nn.Step, shape: Shape, dtype: DType = 'f32'): Shape {
  return traced(net, shape, dtype).fetches[0]!.tensor.shape
}

/** Paths of all variables. */
export function paths(net: nn.Step, shape: Shape, dtype: DType = 'f32'): string[] {
  return traced(net, shape, dtype).states.map(({ name }) => name)
}

/** Fetches of a function of f32 feeds, in float64. */
export function evaluate(
  feeds: Readonly<Record<string, NDArray>>,
  build: (tensors: Readonly<Record<string, Tensor<'f32'>>>) => Readonly<Record<string, Tensor>>,
  states: Readonly<Record<string, NDArray>> = {},
): Interpreted['fetches'] {
  const graph = trace({ name: 'net' }, () => {
    const tensors = Object.entries(feeds).map(([name, { shape }]) => [name, feed(name, 'f32', shape)] as const)
    return build(Object.fromEntries(tensors))
  })
  return interpret(graph, feeds, states).fetches
}

/** An array of fixed, uneven numbers from about -1 to 1. */
export function uneven(shape: Shape, phase = 0): NDArray {
  const length = shape.reduce((product, extent) => product * extent, 1)
  return ndarray(
    shape,
    Array.from({ length }, (_, i) => Math.sin(1.7 * i + 0.3 + phase)),
  )
}

/** Feeds that carry no gradient. */
export type Fixed = Readonly<Record<string, { readonly dtype: 'i32' | 'u8'; readonly value: NDArray }>>

/**
 * Holds the gradients of what `build` gives, by its f32 feeds and by all parameters it reads, to central differences: both in
 * float64, along fixed cotangents.
 */
export function expectGradients(
  feeds: Readonly<Record<string, NDArray>>,
  fixed: Fixed,
  build: (tensors: Readonly<Record<string, Tensor>>) => readonly Tensor<'f32'>[],
): void {
  const names = new Names()
  const graphOf = (derived: boolean) =>
    trace({ name: 'net', names }, () => {
      const floats = Object.entries(feeds).map(([name, { shape }]) => [name, feed(name, 'f32', shape)] as const)
      const others = Object.entries(fixed).map(([name, { dtype, value }]) => [name, feed(name, dtype, value.shape)])
      const outputs = build(Object.fromEntries([...floats, ...others]) as Record<string, Tensor>)
      const terms = outputs.map((y, i) => sum(mul(y, constant('f32', y.shape, [...uneven(y.shape, 5 + i).data]))))
      const loss = terms.reduce<Tensor>((a, b) => add(a, b), constant('f32', [], 0))
      if (!derived) return { loss }
      const parameters = variablesRead().filter(({ role }) => role === 'parameter')
      const weights = parameters.map((variable) => [names.variable(variable, ''), read(variable)] as const)
      return grad(loss, Object.fromEntries([...floats, ...weights]))
    })
  const [graph, backward] = [graphOf(false), graphOf(true)]
  const given = Object.fromEntries(Object.entries(fixed).map(([name, { value }]) => [name, value]))
  const states = Object.fromEntries(graph.states.map(({ name, tensor }, i) => [name, uneven(tensor.shape, i)]))
  const all: Record<string, NDArray> = { ...states, ...feeds }
  const lossAt = (moved: Record<string, NDArray>) =>
    interpret(graph, { ...given, ...moved }, moved).fetches['loss']!.data[0]!
  const found = interpret(backward, { ...given, ...all }, all).fetches
  expect(Object.keys(found).sort()).toEqual(Object.keys(all).sort())
  const h = 1e-5
  for (const [name, value] of Object.entries(all)) {
    const largest = Math.max(...found[name]!.data.map(Math.abs))
    expect(largest, `a gradient of ${name} that is not zero`).toBeGreaterThan(1e-4)
    for (let i = 0; i < value.data.length; i += Math.max(1, Math.floor(value.data.length / 7))) {
      const moved = (by: number) => ({ ...all, [name]: ndarray(value.shape, value.data.with(i, value.data[i]! + by)) })
      const slope = (lossAt(moved(h)) - lossAt(moved(-h))) / (2 * h)
      expect(Math.abs(slope - found[name]!.data[i]!), `${name}, element ${i}`).toBeLessThan(1e-7 * Math.max(1, largest))
    }
  }
}
