// Evaluates a graph in float64 with the references of test/ops: what a program means, whatever passes or backends do to it.
// Runs traced and optimised graphs alike (fused chains, activations in attributes).
import type { Graph, Tensor } from '../../lib/graph/index.js'
import { fill, type NDArray } from './ndarray.js'
import { references } from './references.js'

export type Arrays = Readonly<Record<string, NDArray>>

export interface Interpreted {
  readonly fetches: Record<string, NDArray>
  /** States after the run, by path. */
  readonly states: Record<string, NDArray>
}

/** Runs a graph on named feeds and states; states that are not given are zero. */
export function interpret(graph: Graph, feeds: Arrays, states: Arrays = {}): Interpreted {
  const values = new Map<Tensor, NDArray>()
  const value = (tensor: Tensor) => values.get(tensor) ?? constantValue(tensor)
  for (const { name, tensor } of graph.feeds) {
    const given = feeds[name]
    if (given?.data.length !== fill(tensor.shape, () => 0).data.length) throw new Error(`expected a feed ${name}`)
    values.set(tensor, given)
  }
  for (const { name, tensor } of graph.states) values.set(tensor, states[name] ?? fill(tensor.shape, () => 0))
  for (const node of graph.nodes) {
    const reference = references().get(node.op.name)
    if (reference === undefined) throw new Error(`${node.op.name}: expected a reference`)
    const results = reference(node.inputs.map(value), node.attrs, node.outputs)
    node.outputs.forEach((output, i) => {
      const result = results[i]
      if (result?.shape.join() !== output.shape.join()) {
        throw new Error(`${node.op.name}: expected [${output.shape.join()}], got [${result?.shape.join() ?? ''}]`)
      }
      values.set(output, result)
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
