// Runs a graph on a backend of the addon, for comparison with the interpreter.
import type { Graph } from '../../lib/graph/index.js'
import type { NDArray } from './ndarray.js'

export interface Backend {
  readonly name: string
  readonly reason?: string
}

export function backends(): readonly Backend[] {
  return [{ name: 'cpu', reason: 'the addon is not built' }]
}

export function runNative(_graph: Graph, _inputs: readonly NDArray[], _backend: string): Promise<NDArray[]> {
  return Promise.resolve([])
}
