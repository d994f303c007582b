// Drops nodes that no fetch and no assignment needs, and states that nothing reads or assigns. Feeds stay: they are the
// program's signature.
import type { Graph, Node, Tensor } from '../../graph/index.js'

export function dce(graph: Graph): Graph {
  const needed = new Set<Tensor>()
  for (const { tensor } of graph.fetches) needed.add(tensor)
  for (const { state, value } of graph.assigns) needed.add(state).add(value)
  const nodes: Node[] = []
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    nodes.push(node)
    for (const input of node.inputs) needed.add(input)
  }
  return { ...graph, nodes: nodes.reverse(), states: graph.states.filter((state) => needed.has(state.tensor)) }
}
