// Drops the ops that only steer: their input stands for their output. What steers differentiation goes first; the marks of
// parameters' gradients stay until the passes that ask for them are done.
import type { Graph, Node } from '../../graph/index.js'
import { parameterGradientOp } from '../../ops/marker.js'
import { rewrite } from '../rewrite.js'

/** Whether a node marks the gradient of a parameter. */
export function marksGradient({ op }: Node): boolean {
  return op.name === parameterGradientOp.name
}

export function markers(graph: Graph): Graph {
  return rewrite(graph, (node) => (node.op.kind === 'marker' && !marksGradient(node) ? node.inputs : undefined))
}

export function gradientMarkers(graph: Graph): Graph {
  return rewrite(graph, (node) => (marksGradient(node) ? node.inputs : undefined))
}
