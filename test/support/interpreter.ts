// Evaluates a graph in float64 with the references of test/ops: what a program means, whatever passes or backends do to it.
// Runs traced and optimised graphs alike (fused chains, activations in attributes).
import type { Graph, Tensor } from '../../lib/graph/index.js'
import { fill, type NDArray } from './ndarray.js'
import { toBf16 } from './random.js'
import { references } from './references.js'

export type Arrays = Readonly<Record<string, NDArray>>

export interface Interpreted {
  readonly fetches: Record<string, NDArray>
  /** States after the run, by path. */
  readonly states: Record<string, NDArray>
}

/** Each value as a tensor of that type holds it. */
function held({ dtype }: Tensor, { shape, data }: NDArray): NDArray {
  const round = dtype === 'bf16' ? toBf16 : dtype === 'f32' ? Math.fround : (x: number) => x
  return { shape, data: data.map(round) }
}

/** Runs a graph on named feeds and states; states that are not given are zero. With `rounded`, each result is rounded to its dtype. */
export function interpret(graph: Graph, feeds: Arrays, states: Arrays = {}, rounded = false): Interpreted {
  const values = new Map<Tensor, NDArray>()
  const keep = (tensor: Tensor, array: NDArray) => values.set(tensor, rounded ? held(tensor, array) : array)
  const value = (tensor: Tensor) => values.get(tensor) ?? constantValue(tensor)
  for (const { name, tensor } of graph.feeds) {
    const given = feeds[name]
    if (given?.data.length !== fill(tensor.shape, () => 0).data.length) throw new Error(`expected a feed ${name}`)
    keep(tensor, given)
  }
  for (const { name, tensor } of graph.states) keep(tensor, states[name] ?? fill(tensor.shape, () => 0))
  for (const node of graph.nodes) {
    const reference = references().get(node.op.name)
    if (reference === undefined) throw new Error(`${node.op.name}: expected a reference`)
    const results = reference(node.inputs.map(value), node.attrs, node.outputs)
    node.outputs.forEach((output, i) => {
      const result = results[i]
      if (result?.shape.join() !== output.shape.join()) {
        throw new Error(`${node.op.name}: expected [${output.shape.join()}], got [${result?.shape.join() ?? ''}]`)
      }
      keep(output, result)
    })
  }
  return {
    fetches: Object.fromEntries(graph.fetches.map(({ name, tensor }) => [name, value(tensor)])),
    states: Object.fromEntries(
      graph.states.map(({ name, tensor }) => {
        const assigned = graph.assigns.find(({ state }) => state === tensor)
        return [name, value(assigned?.value ?? tensor)]
      }),
    ),
  }
}

function constantValue(tensor: Tensor): NDArray {
  if (tensor.node.op.name !== 'constant') throw new Error(`${tensor.node.op.name}: expected to be evaluated before`)
  const data = tensor.node.attrs['data'] as readonly number[]
  let i = 0
  return fill(tensor.shape, () => data[data.length === 1 ? 0 : i++]!)
}
