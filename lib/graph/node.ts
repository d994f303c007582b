// The only place where nodes are made: checks the op's shape rule and names the op, path and call site when it fails.
import { ShapeError } from './errors.js'
import type { Attrs } from './op.js'
import type { Site } from './site.js'
import { type Node, type Op, Tensor } from './tensor.js'

/** Where a node comes from. */
export interface NodeOrigin {
  readonly path: string
  readonly site: Site | undefined
}

/** Makes a node and its output tensors by the op's shape rule; throws ShapeError `op[path]: expected ..., got ...`. */
export function makeNode<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, origin: NodeOrigin): Node {
  const outputs: Tensor[] = []
  // Attribute types are erased once a node is in a graph: `verify` holds them to the op's schema instead.
  const node: Node = { op: op as unknown as Op, inputs, attrs, outputs, path: origin.path, site: origin.site }
  for (const [index, type] of inferAt(op, inputs, attrs, origin).entries()) {
    outputs.push(new Tensor(node, index, type.dtype, type.shape))
  }
  return node
}

/** The same node over other inputs of the same types, and so with outputs of the same types. */
export function overInputs(old: Node, inputs: readonly Tensor[]): Node {
  const outputs: Tensor[] = []
  const node: Node = { ...old, inputs, outputs }
  for (const { index, dtype, shape } of old.outputs) outputs.push(new Tensor(node, index, dtype, shape))
  return node
}

function inferAt<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, origin: NodeOrigin) {
  try {
    return op.infer(inputs, attrs)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const line = origin.site?.line
    const at = line === undefined ? '' : ` (at ${line})`
    throw new ShapeError(`${op.name}[${origin.path}]: ${error.message}${at}`)
  }
}
