// A compiler that needs no device: it evaluates graphs in float64 with the references of test/ops, and keeps variables between runs.
import { compileGraph } from '../../../lib/compile/index.js'
import { feed, type Graph, Names, trace, type Variable } from '../../../lib/graph/index.js'
import type { Compiler, Extent } from '../../../lib/solvers/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray, type NDArray } from '../../support/ndarray.js'

export interface Interpreted extends Compiler {
  /** Programs that are not disposed. */
  readonly alive: Set<Graph>
  /** Runs so far. */
  runs: number
}

function declared(name: string, extent: Extent) {
  const { dtype, shape } = 'shape' in extent ? extent : { dtype: 'f32' as const, shape: extent }
  return feed(name, dtype, shape)
}

/** `passes`: evaluates what the passes made of a graph, in the place of the graph as traced. */
export function interpreted({ passes = false } = {}): Interpreted {
  const names = new Names()
  const values = new Map<Variable, NDArray>()
  const alive = new Set<Graph>()
  const compiler: Interpreted = {
    alive,
    runs: 0,
    compile(fn, extents) {
      const inputs = Object.entries(extents)
      const traced = trace({ name: 'interpreted', names }, () =>
        fn(...(inputs.map(([name, extent]) => declared(name, extent)) as never[])),
      )
      const graph = passes ? compileGraph(traced, { precision: 'f32' }).graph : traced
      alive.add(graph)
      const run = (given: Parameters<Awaited<ReturnType<Compiler['compile']>>['run']>[0]) => {
        compiler.runs += 1
        const feeds = graph.feeds.map(({ name, tensor }) => [name, ndarray(tensor.shape, [...given[name]!])] as const)
        const known = graph.states.filter(({ variable }) => values.has(variable))
        const states = known.map(({ name, variable }) => [name, values.get(variable)!] as const)
        const found = interpret(graph, Object.fromEntries(feeds), Object.fromEntries(states))
        for (const { name, variable } of graph.states) values.set(variable, found.states[name]!)
        const fetches = Object.entries(found.fetches).map(
          ([name, { data }]) => [name, Float64Array.from(data)] as const,
        )
        return Promise.resolve(Object.fromEntries(fetches) as never)
      }
      return Promise.resolve({ run, dispose: () => alive.delete(graph) } as never)
    },
  }
  return compiler
}
