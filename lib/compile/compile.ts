// Graph -> program text: all passes in order, each one checked, then the encoder.
import { type DType, type Graph, GraphError, printGraph, type Shape, type Variable, verify } from '../graph/index.js'
import { encode } from './encode.js'
import { cse } from './passes/cse.js'
import { dce } from './passes/dce.js'
import { epilogue } from './passes/epilogue.js'
import { fold } from './passes/fold.js'
import { fuse } from './passes/fuse.js'
import { joinPads } from './passes/join-pads.js'
import { joinProducts } from './passes/join-products.js'
import { gradientMarkers, markers } from './passes/markers.js'
import { mixedPrecision } from './passes/mixed-precision.js'
import { normalise } from './passes/normalise.js'
import { reluPool } from './passes/relu-pool.js'
import { schedule } from './passes/schedule.js'
import { ownerOf, shadow } from './passes/shadow.js'
import { sums } from './passes/sums.js'

/**
 * How a program computes: `f32` everywhere; `tf32`, the same with products and convolutions that may round their operands to
 * 10 bits of mantissa; or `bf16` activations and weight copies over f32 master weights.
 */
export type CompilePrecision = 'f32' | 'tf32' | 'bf16'

export interface CompileOptions {
  readonly precision: CompilePrecision
  /** Keep the printed graph of every stage in `stages`. Default: false. */
  readonly explain?: boolean
}

export interface ProgramPort {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** One buffer that the program binds; `shadowOf` is the parameter of which it is a copy in another dtype. */
export interface ProgramState extends ProgramPort {
  readonly variable: Variable
  readonly shadowOf?: Variable
}

/** A program that any backend can build; `feeds`, `states` and `fetches` are in the order in which they are bound. */
export interface CompiledGraph {
  readonly text: string
  readonly graph: Graph
  readonly feeds: readonly ProgramPort[]
  readonly states: readonly ProgramState[]
  readonly fetches: readonly ProgramPort[]
  /** With `explain`: the graph as traced and after each pass, printed. Otherwise empty. */
  readonly stages: readonly { readonly name: string; readonly text: string }[]
}

export type Pass = readonly [name: string, run: (graph: Graph) => Graph]

/**
 * The order, and why: `joinPads` and `joinProducts` come before whatever puts something between the terms of a sum; fusions that look for
 * patterns of single ops (epilogue, reluPool, normalise) come before mixed precision, which would put casts between them; `sums` comes after it, because it asks whether the sum reads what the product
 * reads; `fold` runs again to take out what met where casts were put in and marks of gradients went.
 */
export function passesFor(precision: CompilePrecision): Pass[] {
  const simplify: Pass[] = [
    ['fold', fold],
    ['cse', cse],
  ]
  const mixed: Pass[] = [
    ['mixedPrecision', mixedPrecision],
    ['shadow', shadow],
  ]
  return [
    ['markers', markers],
    ['dce', dce],
    ...simplify,
    ['joinPads', joinPads],
    ['joinProducts', joinProducts],
    ['epilogue', epilogue],
    ['reluPool', reluPool],
    ['normalise', normalise],
    ...(precision === 'bf16' ? mixed : []),
    ['gradientMarkers', gradientMarkers],
    ...simplify,
    ['sums', sums],
    ['fuse', fuse],
    ['schedule', schedule],
  ]
}

function checked(name: string, graph: Graph): void {
  try {
    verify(graph)
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`after pass ${name}: ${error.message}`)
    throw error
  }
}

/**
 * Optimises a traced graph and writes its program text.
 * @throws GraphError when the graph is malformed or holds what no backend runs.
 * @example const { text, states } = compileGraph(trace({ name: 'mlp' }, build), { precision: 'f32' })
 */
export function compileGraph(graph: Graph, options: CompileOptions): CompiledGraph {
  const stages: { name: string; text: string }[] = []
  const stage = (name: string, at: Graph) => {
    checked(name, at)
    if (options.explain === true) stages.push({ name, text: printGraph(at) })
  }
  stage('trace', graph)
  let final = graph
  for (const [name, run] of passesFor(options.precision)) {
    final = run(final)
    stage(name, final)
  }
  const port = (name: string, tensor: { readonly dtype: DType; readonly shape: Shape }) => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
  })
  return {
    text: encode(final, options.precision === 'tf32'),
    graph: final,
    feeds: final.feeds.map(({ name, tensor }) => port(name, tensor)),
    states: final.states.map(({ name, variable, tensor }) => {
      const shadowOf = ownerOf(variable)
      return { ...port(name, tensor), variable, ...(shadowOf && { shadowOf }) }
    }),
    fetches: final.fetches.map(({ name, tensor }) => port(name, tensor)),
    stages,
  }
}
