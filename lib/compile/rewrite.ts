// How a pass builds its new graph: nodes are visited in order with their inputs already replaced. Refuses a replacement
// of another dtype or shape, so that a pass can never change what its neighbours see.
import {
  type Attrs,
  formatShape,
  type Graph,
  GraphError,
  makeNode,
  type Node,
  type NodeOrigin,
  type Op,
  overInputs,
  sameShape,
  type Tensor,
} from '../graph/index.js'
import { registry } from '../ops/registry.js'

/** An op that a pass puts in. */
export function opNamed(name: string): Op {
  const op = registry.get(name)
  if (op === undefined) throw new GraphError(`${name}: expected a registered op, got an unknown name`)
  return op
}

/** Who reads each tensor, and which tensors leave the graph. */
export interface Uses {
  /** Reading nodes in order, once per operand. */
  readers(tensor: Tensor): readonly Node[]
  /** True when a fetch or an assignment takes the tensor. */
  leaves(tensor: Tensor): boolean
  /** Readers plus fetches and assignments. */
  count(tensor: Tensor): number
}

export function usesOf(graph: Graph): Uses {
  const readers = new Map<Tensor, Node[]>()
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const list = readers.get(input)
      if (list === undefined) readers.set(input, [node])
      else list.push(node)
    }
  }
  const exits = new Map<Tensor, number>()
  for (const tensor of [
    ...graph.fetches.map((fetch) => fetch.tensor),
    ...graph.assigns.map((assign) => assign.value),
  ]) {
    exits.set(tensor, (exits.get(tensor) ?? 0) + 1)
  }
  return {
    readers: (tensor) => readers.get(tensor) ?? [],
    leaves: (tensor) => exits.has(tensor),
    count: (tensor) => (readers.get(tensor)?.length ?? 0) + (exits.get(tensor) ?? 0),
  }
}

/** Output `index` of a node. */
export function output(node: Node, index = 0): Tensor {
  const tensor = node.outputs[index]
  if (tensor === undefined)
    throw new GraphError(`${node.op.name}[${node.path}]: expected output ${index}, got ${node.outputs.length} outputs`)
  return tensor
}

/** Input `index` of a node. */
export function input(node: Node, index: number): Tensor {
  const tensor = node.inputs[index]
  if (tensor === undefined)
    throw new GraphError(`${node.op.name}[${node.path}]: expected input ${index}, got ${node.inputs.length} inputs`)
  return tensor
}

/** The bf16 tensor of which an f32 tensor is a copy. */
export function widened(tensor: Tensor): Tensor | undefined {
  if (tensor.node.op.name !== 'cast' || tensor.dtype !== 'f32') return undefined
  const from = input(tensor.node, 0)
  return from.dtype === 'bf16' ? from : undefined
}

/** The graph under construction. */
export class Rewriter {
  readonly nodes: Node[] = []
  readonly #replaced = new Map<Tensor, Tensor>()

  /** The tensor of the new graph that stands for one of the old graph. */
  get(tensor: Tensor): Tensor {
    return this.#replaced.get(tensor) ?? tensor
  }

  replace(tensor: Tensor, by: Tensor): void {
    if (tensor.dtype !== by.dtype || !sameShape(tensor.shape, by.shape)) {
      const { node } = tensor
      throw new GraphError(
        `${node.op.name}[${node.path}]: expected a replacement ${tensor.dtype}${formatShape(tensor.shape)}, ` +
          `got ${by.dtype}${formatShape(by.shape)}`,
      )
    }
    this.#replaced.set(tensor, by)
  }

  /** Adds a node; it carries the path and call site of the node that it replaces. */
  emit<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, origin: NodeOrigin): Node {
    const node = makeNode(op, inputs, attrs, origin)
    this.nodes.push(node)
    return node
  }

  /** The node over replaced inputs, which are of the same types: itself when none was replaced. Not yet added. */
  rebuild(node: Node): Node {
    const inputs = node.inputs.map((tensor) => this.get(tensor))
    return inputs.every((tensor, i) => tensor === node.inputs[i]) ? node : overInputs(node, inputs)
  }

  /** The old graph's frame around the new nodes. */
  finish(graph: Graph): Graph {
    return {
      ...graph,
      nodes: this.nodes,
      assigns: graph.assigns.map(({ state, value }) => ({ state: this.get(state), value: this.get(value) })),
      fetches: graph.fetches.map(({ name, tensor }) => ({ name, tensor: this.get(tensor) })),
    }
  }
}

/**
 * What a pass does with one node: the tensors that stand for its outputs, or undefined to keep it.
 * `node` has the new graph's inputs, `old` is the node of the graph before the pass.
 */
export type Visit = (node: Node, old: Node, rewriter: Rewriter) => readonly Tensor[] | undefined

/** Rebuilds a graph node by node. */
export function rewrite(graph: Graph, visit: Visit): Graph {
  const rewriter = new Rewriter()
  for (const old of graph.nodes) {
    const node = rewriter.rebuild(old)
    const outputs = visit(node, old, rewriter)
    if (outputs === undefined) rewriter.nodes.push(node)
    for (const [i, tensor] of old.outputs.entries()) {
      const by = (outputs ?? node.outputs)[i]
      if (by !== undefined && by !== tensor) rewriter.replace(tensor, by)
    }
  }
  return rewriter.finish(graph)
}
