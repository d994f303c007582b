// The order of execution: creation order, but a parameter update runs as soon as its inputs are there and every other
// reader of the state that it replaces is done, so that the backend can update in place and free the gradient early.
import type { Graph, Node, Tensor } from '../../graph/index.js'
import { updatesOf } from '../groups.js'
import { usesOf } from '../rewrite.js'

/** States below this many elements are not worth waiting for: the step counter would hold back every update. */
const worthWaiting = 1024

const elements = (tensor: Tensor): number => tensor.shape.reduce((n, extent) => n * extent, 1)

/** For each update, the nodes after which it may run: producers of its inputs, other readers of what it replaces. */
function waits(graph: Graph, updates: ReadonlySet<Node>): Map<Node, Set<Node>> {
  const uses = usesOf(graph)
  const scheduled = new Set(graph.nodes)
  const result = new Map<Node, Set<Node>>()
  for (const node of updates) {
    const before = new Set(node.inputs.map((tensor) => tensor.node).filter((producer) => scheduled.has(producer)))
    for (const { state, value } of graph.assigns) {
      if (value.node !== node || elements(state) < worthWaiting) continue
      for (const reader of uses.readers(state)) if (reader !== node) before.add(reader)
    }
    result.set(node, before)
  }
  return result
}

export function schedule(graph: Graph): Graph {
  const updates = updatesOf(graph, usesOf(graph))
  const pending = waits(graph, updates)
  const followers = new Map<Node, Node[]>()
  for (const node of graph.nodes) {
    for (const before of pending.get(node) ?? []) followers.set(before, [...(followers.get(before) ?? []), node])
  }
  const nodes: Node[] = []
  const run = (first: Node) => {
    const queue = [first]
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      nodes.push(node)
      pending.delete(node)
      for (const follower of followers.get(node) ?? []) {
        const left = pending.get(follower)
        left?.delete(node)
        if (left?.size === 0) queue.push(follower)
      }
    }
  }
  for (const node of graph.nodes) if (pending.get(node)?.size === 0) run(node)
  for (const node of graph.nodes) if (!updates.has(node)) run(node)
  // Updates that wait for each other's states: creation order is right, the backend copies.
  for (const node of graph.nodes) if (pending.has(node)) run(node)
  return { ...graph, nodes }
}
