// Small doings that the tests of layers share.
import { type DType, feed, Names, type Shape, type Tensor, trace } from '../../../lib/graph/index.js'
import type * as nn from '../../../lib/nn/index.js'
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
