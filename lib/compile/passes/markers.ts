// Drops the ops that only steer: their input stands for their output. What steers differentiation goes first; the marks of
// parameters' gradients, and of what stays f32, stay until the passes that ask for them are done.
import type { Graph, Node } from '../../graph/index.js'
import { keepF32Op, parameterGradientOp } from '../../ops/marker.js'
import { rewrite } from '../rewrite.js'

/** Whether a node marks the gradient of a parameter. */
export function marksGradient({ op }: Node): boolean {
  return op.name === parameterGradientOp.name
}

/** Whether a node marks what products read in f32. */
export function marksF32({ op }: Node): boolean {
  return op.name === keepF32Op.name
}

const stays = (node: Node): boolean => marksGradient(node) || marksF32(node)

export function markers(graph: Graph): Graph {
  return rewrite(graph, (node) => (node.op.kind === 'marker' && !stays(node) ? node.inputs : undefined))
}

export function gradientMarkers(graph: Graph): Graph {
  return rewrite(graph, (node) => (stays(node) ? node.inputs : undefined))
}
