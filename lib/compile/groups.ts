// Which pointwise nodes become one chain. A group is convex (no path leaves it and comes back), has one output shape and
// stays inside the limits of a chain. Refuses to grow a group where that would keep more tensors alive than before.
import { type Graph, GraphError, type Node, sameShape, type Tensor } from '../graph/index.js'
import { chainLimits } from '../ops/pointwise-chain.js'
import { output, type Uses, usesOf } from './rewrite.js'

/** A chain in the making, or a single kernel node. */
export interface Group {
  readonly nodes: Node[]
}

/** A constant that is the same everywhere can stand in the chain as a literal. */
export function isLiteral(tensor: Tensor): boolean {
  return tensor.node.op.name === 'constant' && (tensor.node.attrs['data'] as readonly number[]).length === 1
}

/** Nodes whose values reach nothing but assignments, and those through pointwise nodes alone: parameter updates. */
export function updatesOf(graph: Graph, uses: Uses): Set<Node> {
  const fetched = new Set(graph.fetches.map((fetch) => fetch.tensor))
  const updates = new Set<Node>()
  for (const node of graph.nodes.toReversed()) {
    if (node.op.kind !== 'pointwise' && node.op.name !== 'pointwise') continue
    const onlyUpdates = (tensor: Tensor) =>
      !fetched.has(tensor) && uses.readers(tensor).every((reader) => updates.has(reader))
    if (node.outputs.every(onlyUpdates)) updates.add(node)
  }
  return updates
}

export class Groups {
  readonly #uses: Uses
  readonly #updates: Set<Node>
  readonly #groupOf = new Map<Node, Group>()
  /** Position of each node in the graph. */
  readonly #position = new Map<Node, number>()
  /** How many kernels stand before each position. */
  readonly #kernels: number[] = []

  constructor(private readonly graph: Graph) {
    this.#uses = usesOf(graph)
    this.#updates = updatesOf(graph, this.#uses)
    let kernels = 0
    for (const [i, node] of graph.nodes.entries()) {
      this.#groupOf.set(node, { nodes: [node] })
      this.#position.set(node, i)
      this.#kernels.push(kernels)
      if (node.op.kind !== 'pointwise') kernels++
    }
    this.#foldProducers()
    this.#joinNeighbours()
    this.#foldProducers()
  }

  /** Groups in order of their last node. */
  list(): Group[] {
    const found = new Set<Group>()
    for (const node of this.graph.nodes.toReversed()) found.add(this.of(node))
    return [...found].reverse()
  }

  of(node: Node): Group {
    const group = this.#groupOf.get(node)
    if (group === undefined)
      throw new GraphError(`${node.op.name}[${node.path}]: expected a node of the graph, got another`)
    return group
  }

  /** Groups that must run before this one. */
  producers(group: Group): Group[] {
    const inputs = group.nodes.flatMap((node) => node.inputs)
    return inputs.flatMap((tensor) => this.#groupOf.get(tensor.node) ?? []).filter((other) => other !== group)
  }

  /** Tensors of a group that others read: the chain's outputs. */
  outputs(group: Group): Tensor[] {
    const inside = new Set(group.nodes)
    return group.nodes
      .flatMap((node) => node.outputs)
      .filter((tensor) => this.#uses.leaves(tensor) || this.#uses.readers(tensor).some((reader) => !inside.has(reader)))
  }

  /** A value that one group alone reads need not be stored: it moves into that group. */
  #foldProducers(): void {
    for (const node of this.graph.nodes.toReversed()) {
      if (node.op.kind !== 'pointwise' || this.#uses.leaves(output(node))) continue
      const own = this.of(node)
      const readers = new Set(this.#uses.readers(output(node)).map((reader) => this.of(reader)))
      readers.delete(own)
      const [reader] = readers
      if (readers.size === 1 && reader !== undefined) this.#tryJoin(own, reader)
    }
  }

  /**
   * A value that is stored anyway saves a read when its reader joins. Only within the updates, or between neighbours:
   * joining across kernels would compute values of the backward pass in the forward pass and keep them until then.
   */
  #joinNeighbours(): void {
    for (const node of this.graph.nodes) {
      if (node.op.kind !== 'pointwise') continue
      for (const reader of this.#uses.readers(output(node))) {
        const [a, b] = [this.of(node), this.of(reader)]
        if (a !== b && this.#near(a, b)) this.#tryJoin(a, b)
      }
    }
  }

  #near(a: Group, b: Group): boolean {
    const updates = [...a.nodes, ...b.nodes].filter((node) => this.#updates.has(node)).length
    if (updates > 0) return updates === a.nodes.length + b.nodes.length
    const positions = [...a.nodes, ...b.nodes].map((node) => this.#position.get(node) ?? 0)
    return this.#kernels[Math.min(...positions)] === this.#kernels[Math.max(...positions)]
  }

  #tryJoin(a: Group, b: Group): void {
    const [first, second] = [a.nodes[0], b.nodes[0]]
    if (first?.op.kind !== 'pointwise' || second?.op.kind !== 'pointwise') return
    if (!sameShape(output(first).shape, output(second).shape)) return
    const joined = {
      nodes: [...a.nodes, ...b.nodes].sort((x, y) => (this.#position.get(x) ?? 0) - (this.#position.get(y) ?? 0)),
    }
    if (!this.#fits(joined) || this.#detour(a, b)) return
    for (const node of joined.nodes) this.#groupOf.set(node, joined)
  }

  #fits(group: Group): boolean {
    const inside = new Set(group.nodes)
    const inputs = new Set(
      group.nodes.flatMap((node) => node.inputs).filter((tensor) => !inside.has(tensor.node) && !isLiteral(tensor)),
    )
    return (
      group.nodes.length <= chainLimits.instructions &&
      inputs.size <= chainLimits.inputs &&
      this.outputs(group).length <= chainLimits.outputs
    )
  }

  /** True when a third group lies on a path between the two. */
  #detour(a: Group, b: Group): boolean {
    return this.#reaches(a, b) || this.#reaches(b, a)
  }

  #reaches(from: Group, to: Group): boolean {
    const seen = new Set<Group>([from, to])
    const stack = [from]
    for (let group = stack.pop(); group !== undefined; group = stack.pop()) {
      for (const tensor of group.nodes.flatMap((node) => node.outputs)) {
        for (const reader of this.#uses.readers(tensor)) {
          const next = this.of(reader)
          if (next === to && group !== from) return true
          if (seen.has(next)) continue
          seen.add(next)
          stack.push(next)
        }
      }
    }
    return false
  }
}
