// Extents that depend on the batch: a graph is traced for three batches, and what differs between them must grow with the batch.
import { type Graph, type Node, OstrichError, type Tensor } from '../../graph/index.js'

/** per * batch + plus. */
export interface Extent {
  readonly per: number
  readonly plus: number
}

/** One graph, seen in several batches. */
export class Batches {
  readonly #shapes = new Map<Tensor, readonly Extent[]>()
  readonly #twins = new Map<Node, readonly Node[]>()
  readonly #sizes: readonly number[]

  /** @param sizes as many batches as graphs; one, where the batch is fixed */
  constructor(graphs: readonly Graph[], sizes: readonly number[]) {
    this.#sizes = sizes
    const all = graphs.map(nodesOf)
    const [first = [], ...others] = all
    for (const [i, node] of first.entries()) {
      const twins = [node, ...others.map((nodes) => nodes[i])]
      if (!twins.every((twin) => twin?.op === node.op && twin.outputs.length === node.outputs.length)) {
        throw refused(node, 'the same ops whatever the batch, got others')
      }
      this.#twins.set(node, twins as Node[])
      for (const [index, output] of node.outputs.entries()) {
        const shapes = (twins as Node[]).map((twin) => twin.outputs[index]!.shape)
        this.#shapes.set(output, this.#extents(node, shapes))
      }
    }
  }

  /** Of a tensor of the first graph. */
  shape(tensor: Tensor): readonly Extent[] {
    return this.#shapes.get(tensor) ?? []
  }

  /** A list of integers among a node's attributes. */
  ints(node: Node, name: string): readonly Extent[] {
    const lists = (this.#twins.get(node) ?? []).map(({ attrs }) => attrs[name] as readonly number[])
    return this.#extents(node, lists)
  }

  /** Whether an attribute is the same in every batch. */
  isFixed(node: Node, name: string): boolean {
    const [first, ...others] = (this.#twins.get(node) ?? []).map(({ attrs }) => JSON.stringify(attrs[name]))
    return others.every((other) => other === first)
  }

  #extents(node: Node, lists: readonly (readonly number[])[]): Extent[] {
    const [first = []] = lists
    if (lists.some(({ length }) => length !== first.length)) throw refused(node, 'as many axes whatever the batch')
    return first.map((_, axis) => {
      const values = lists.map((list) => list[axis] ?? 0)
      return this.#extent(node, values)
    })
  }

  #extent(node: Node, values: readonly number[]): Extent {
    const [first = 0, second = first] = values
    const [one = 0, two = one + 1] = this.#sizes
    const per = (second - first) / (two - one)
    const extent = { per, plus: first - per * one }
    const fits = values.every((value, i) => value === per * (this.#sizes[i] ?? 0) + extent.plus)
    if (!fits || !Number.isInteger(per))
      throw refused(node, `extents that grow with the batch, got ${values.join(', ')}`)
    return extent
  }
}

/** All nodes of a graph, its sources among them, inputs first. */
export function nodesOf({ feeds, states, nodes, assigns, fetches }: Graph): Node[] {
  const found = new Set<Node>()
  for (const { tensor } of [...feeds, ...states]) found.add(tensor.node)
  for (const node of nodes) {
    for (const input of node.inputs) found.add(input.node)
    found.add(node)
  }
  for (const { tensor } of fetches) found.add(tensor.node)
  for (const { value } of assigns) found.add(value.node)
  return [...found]
}

/** What cannot be said in ONNX, with the op and its path. */
export function refused({ op, path }: Node, expected: string): OstrichError {
  return new OstrichError('ERR_OPTION', `exportOnnx: ${op.name}[${path}]: expected ${expected}`)
}
