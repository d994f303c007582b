// Which pointwise nodes become one chain. A group is convex (no path leaves it and comes back), has one output shape and
// stays inside the limits of a chain. Refuses to grow a group where that would keep more tensors alive than before.
import { type Graph, GraphError, type Node, sameShape, type Tensor } from '../graph/index.js'
import { chainLimits } from '../ops/pointwise-chain.js'
import { output, type Uses, usesOf } from './rewrite.js'

/** A chain in the making, or a single kernel node. */
export interface Group {
  readonly nodes: readonly Node[]
  /** Place in the order of execution; every reader has a higher one. */
  rank: number
}

/** A constant that is the same everywhere can stand in the chain as a literal. */
export function isLiteral(tensor: Tensor): boolean {
  return tensor.node.op.name === 'constant' && (tensor.node.attrs['data'] as readonly number[]).length === 1
}

/** Nodes whose values reach nothing but assignments, and those through pointwise nodes alone: nobody waits for them within a run. */
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
  /** Groups by rank; joining two leaves a hole. */
  readonly #order: (Group | undefined)[] = []
  /** Position of each node in the graph. */
  readonly #position = new Map<Node, number>()
  /** How many kernels that compute something stand before each position. */
  readonly #kernels: number[] = []

  constructor(private readonly graph: Graph) {
    this.#uses = usesOf(graph)
    this.#updates = updatesOf(graph, this.#uses)
    let kernels = 0
    for (const [i, node] of graph.nodes.entries()) {
      const group = { nodes: [node], rank: i }
      this.#groupOf.set(node, group)
      this.#order.push(group)
      this.#position.set(node, i)
      this.#kernels.push(kernels)
      if (node.op.kind !== 'pointwise' && !(node.op.kind === 'kernel' && node.op.moves)) kernels++
    }
    this.#foldProducers()
    this.#joinNeighbours()
    this.#foldProducers()
  }

  /** Groups in an order in which producers come first. */
  list(): Group[] {
    return this.#order.filter((group) => group !== undefined)
  }

  #of(node: Node): Group {
    const group = this.#groupOf.get(node)
    if (group === undefined)
      throw new GraphError(`${node.op.name}[${node.path}]: expected a node of the graph, got another`)
    return group
  }

  /** Tensors of a group that others read: the chain's outputs. */
  outputs(nodes: readonly Node[]): Tensor[] {
    const inside = new Set(nodes)
    return nodes
      .flatMap((node) => node.outputs)
      .filter((tensor) => this.#uses.leaves(tensor) || this.#uses.readers(tensor).some((reader) => !inside.has(reader)))
  }

  /** A value that one group alone reads need not be stored: it moves into that group. */
  #foldProducers(): void {
    for (const node of this.graph.nodes.toReversed()) {
      if (node.op.kind !== 'pointwise' || this.#uses.leaves(output(node))) continue
      const own = this.#of(node)
      const readers = new Set(this.#uses.readers(output(node)).map((reader) => this.#of(reader)))
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
        const [a, b] = [this.#of(node), this.#of(reader)]
        if (a !== b && this.#near(a, b)) this.#tryJoin(a, b)
      }
    }
  }

  #near(a: Group, b: Group): boolean {
    const updates = [...a.nodes, ...b.nodes].filter((node) => this.#updates.has(node)).length
    if (updates > 0) return updates === a.nodes.length + b.nodes.length
    // A chain runs where its last node stood: what it took in from further up is computed there.
    const [last, other] = [a, b].map(({ nodes }) => Math.max(...nodes.map((node) => this.#position.get(node) ?? 0)))
    return this.#kernels[last!] === this.#kernels[other!]
  }

  #tryJoin(x: Group, y: Group): void {
    const [first, second] = x.rank < y.rank ? [x, y] : [y, x]
    const [a, b] = [first.nodes[0], second.nodes[0]]
    if (a?.op.kind !== 'pointwise' || b?.op.kind !== 'pointwise' || !sameShape(output(a).shape, output(b).shape)) return
    const at = (node: Node) => this.#position.get(node) ?? 0
    const nodes = [...first.nodes, ...second.nodes].sort((m, n) => at(m) - at(n))
    const behind = this.#fits(nodes) ? this.#behind(first, second) : undefined
    if (behind !== undefined) this.#join(first, second, nodes, behind)
  }

  /** One group in place of two: behind everything between them but what reads the first. */
  #join(first: Group, second: Group, nodes: readonly Node[], behind: ReadonlySet<Group>): void {
    const joined: Group = { nodes, rank: first.rank }
    for (const node of nodes) this.#groupOf.set(node, joined)
    const between = this.#order.slice(first.rank + 1, second.rank).filter((group) => group !== undefined)
    const order = [
      ...between.filter((group) => !behind.has(group)),
      joined,
      ...between.filter((group) => behind.has(group)),
    ]
    const start = first.rank
    for (let rank = start; rank <= second.rank; rank++) {
      const group = order[rank - start]
      this.#order[rank] = group
      if (group !== undefined) group.rank = rank
    }
  }

  #fits(nodes: readonly Node[]): boolean {
    const inside = new Set(nodes)
    const inputs = nodes
      .flatMap((node) => node.inputs)
      .filter((tensor) => !inside.has(tensor.node) && !isLiteral(tensor))
    return (
      nodes.length <= chainLimits.instructions &&
      new Set(inputs).size <= chainLimits.inputs &&
      this.outputs(nodes).length <= chainLimits.outputs
    )
  }

  /** Groups between the two that the first one reaches; undefined when one of them reaches the second. */
  #behind(first: Group, second: Group): Set<Group> | undefined {
    const seen = new Set<Group>()
    const stack = [first]
    for (let group = stack.pop(); group !== undefined; group = stack.pop()) {
      for (const node of group.nodes) {
        for (const tensor of node.outputs) {
          for (const reader of this.#uses.readers(tensor)) {
            const next = this.#of(reader)
            if (next === second && group !== first) return undefined
            if (next === first || next.rank >= second.rank || seen.has(next)) continue
            seen.add(next)
            stack.push(next)
          }
        }
      }
    }
    return seen
  }
}
