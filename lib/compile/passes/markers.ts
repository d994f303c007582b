// Drops the ops that only steer tracing and differentiation (stopGradient): their input stands for their output.
import type { Graph } from '../../graph/index.js'
import { rewrite } from '../rewrite.js'

export function markers(graph: Graph): Graph {
  return rewrite(graph, (node) => (node.op.kind === 'marker' ? node.inputs : undefined))
}
