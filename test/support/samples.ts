// Turns the samples of cases into graphs and numbers.
import { type DType, feed, type Graph, isFloat, type Tensor, trace, verify } from '../../lib/graph/index.js'
import { vjp } from '../../lib/autodiff/index.js'
import { interpret } from './interpreter.js'
import { dot, elementwise, fill, type NDArray, ndarray } from './ndarray.js'
import { type Build, input, type Sample, type SampleDType } from './op-case.js'
import { generator, uniform } from './random.js'

export type Precision = 'f32' | 'bf16'

export function dtypeOf(dtype: SampleDType, precision: Precision): DType {
  return dtype === 'float' ? precision : dtype
}

export const inputName = (i: number) => `in${i}`
export const outputName = (i: number) => `out${i}`

function list(result: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor]
}

/** The graph of a sample: inputs `in0 ...`, outputs `out0 ...`. */
export function graphOf(sample: Pick<Sample, 'inputs' | 'build'>, precision: Precision): Graph {
  const graph = trace({ name: 'sample', mode: 'train' }, () => {
    const inputs = sample.inputs.map(({ dtype, shape }, i) => feed(inputName(i), dtypeOf(dtype, precision), shape))
    return Object.fromEntries(list(sample.build(...inputs)).map((output, i) => [outputName(i), output]))
  })
  verify(graph)
  return graph
}

/** The numbers of a sample's inputs; the same at every call. */
export function drawInputs(sample: Sample): NDArray[] {
  const random = generator(20260727)
  return sample.inputs.map(({ shape, draw }) => ndarray(shape, draw(shape, random)))
}

export function named(arrays: readonly NDArray[]): Record<string, NDArray> {
  return Object.fromEntries(arrays.map((array, i) => [inputName(i), array]))
}

export function outputsOf(graph: Graph, inputs: readonly NDArray[]): NDArray[] {
  const { fetches } = interpret(graph, named(inputs))
  return graph.fetches.map(({ name }) => fetches[name]!)
}

/** Which inputs a gradient is wanted for. */
export function differentiable(sample: Sample): number[] {
  return sample.inputs.flatMap(({ dtype }, i) => (dtype === 'float' || isFloat(dtype) ? [i] : []))
}

/** The sample whose outputs are the gradients of the given one; the cotangents are further inputs. */
export function gradientSample(sample: Sample): Sample {
  const forward = graphOf(sample, 'f32')
  const floats = forward.fetches.flatMap(({ tensor }, i) => (isFloat(tensor.dtype) ? [i] : []))
  const wrt = differentiable(sample)
  const n = sample.inputs.length
  const build: Build = (...inputs) => {
    const outputs = list(sample.build(...inputs.slice(0, n)))
    return vjp(
      floats.map((i) => outputs[i]!),
      inputs.slice(n),
      wrt.map((i) => inputs[i]!),
    )
  }
  const cotangents = floats.map((i) => {
    const { dtype, shape } = forward.fetches[i]!.tensor
    return input(dtype, shape, uniform(-1, 1))
  })
  const outputs = wrt.map((i) => `float[${sample.inputs[i]!.shape.join(', ')}]`)
  return { name: `gradient of ${sample.name}`, inputs: [...sample.inputs, ...cotangents], build, outputs }
}

const h = 1e-5
/** Elements of one input that are moved one by one; all the others are moved together, along a random direction. */
const single = 12

/** Derivative of sum(output . cotangent) along a direction of one input. */
export interface Slope {
  readonly input: number
  readonly direction: NDArray
  readonly value: number
}

/** Random elements of an array, and one direction through all of them. */
function directions({ shape, data }: NDArray, random: () => number): NDArray[] {
  const unit = (element: number) =>
    ndarray(
      shape,
      Array.from(data, (_, i) => Number(i === element)),
    )
  const elements = Array.from(data.keys())
  const chosen = data.length <= single ? elements : elements.filter(() => random() < single / data.length)
  return [...chosen.map(unit), fill(shape, () => 2 * random() - 1)]
}

/** Central differences at the differentiable inputs of `sample`. */
export function numericSlopes(sample: Sample, inputs: readonly NDArray[], cotangents: readonly NDArray[]): Slope[] {
  const graph = graphOf(sample, 'f32')
  const floats = graph.fetches.flatMap(({ tensor }, i) => (isFloat(tensor.dtype) ? [i] : []))
  const random = generator(7)
  return differentiable(sample).flatMap((i) =>
    directions(inputs[i]!, random).map((direction) => {
      const objective = (step: number) => {
        const moved = elementwise((x, d) => x + step * d, inputs[i]!, direction)
        const outputs = outputsOf(graph, inputs.with(i, moved))
        return floats.reduce((sum, output, j) => sum + dot(outputs[output]!, cotangents[j]!), 0)
      }
      return { input: i, direction, value: (objective(h) - objective(-h)) / (2 * h) }
    }),
  )
}
