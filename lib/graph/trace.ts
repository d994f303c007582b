// Tracing: runs a function over symbolic tensors once and records every node, variable and assignment that it makes.
// Refuses ops outside a trace, tensors of another trace, and assignments that do not fit.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import type { DType } from './dtype.js'
import { GraphError, ShapeError } from './errors.js'
import type { Graph, GraphAssign, GraphFeed, GraphState } from './graph.js'
import { Names } from './names.js'
import { makeNode } from './node.js'
import type { Attrs } from './op.js'
import { formatShape, sameShape, type Shape } from './shape.js'
import { Site } from './site.js'
import { constantOp, feedOp, stateOp } from './sources.js'
import { type Node, type Op, Tensor } from './tensor.js'
import { whileTracing } from './tracing.js'
import type { Variable } from './variable.js'

/** `train` turns dropout on; everything else is the same graph. */
export type TraceMode = 'train' | 'eval'

export interface TraceOptions {
  readonly name: string
  /** Default: `eval`. */
  readonly mode?: TraceMode
  /** Shared by all traces whose variables must have the same paths. */
  readonly names?: Names
}

const schema: Schema<TraceOptions> = {
  name: is.needed(is.text),
  mode: is.oneOf('train', 'eval'),
  names: is.instance('Names', Names),
}

/** What whoever reads a variable gets in the place of its value. */
export type StandIn = (variable: Variable, value: Tensor) => Tensor

class Trace {
  readonly feeds: GraphFeed[] = []
  readonly states = new Map<Variable, GraphState>()
  readonly nodes: Node[] = []
  readonly owned = new Set<Node>()
  readonly assigns = new Map<Variable, GraphAssign>()
  readonly streams = new Map<string, number>()
  path = ''
  site: Site | undefined
  stands: StandIn | undefined

  constructor(
    readonly name: string,
    readonly mode: TraceMode,
    readonly names: Names,
  ) {}
}

let active: Trace | undefined

function current(): Trace {
  if (active === undefined) {
    throw new GraphError(
      'expected to be inside a traced function, got a call outside: build tensors in the function that is compiled',
    )
  }
  return active
}

/**
 * Traces `build` into a graph; what it returns, by name, becomes the fetches.
 * @throws ShapeError, GraphError from the ops that `build` uses.
 */
export function trace(options: TraceOptions, build: () => Readonly<Record<string, Tensor>>): Graph {
  expectOptions('trace', options, schema)
  expectKind('trace', 'build', is.callable, build)
  const outer = active
  const own = new Trace(options.name, options.mode ?? 'eval', options.names ?? new Names())
  active = own
  try {
    const results = Object.entries(expectTensors(options.name, whileTracing(build)))
    for (const [name, tensor] of results) checkOwned(own, tensor, () => `fetch ${name}`)
    return {
      name: own.name,
      feeds: own.feeds,
      states: [...own.states.values()],
      nodes: own.nodes,
      assigns: [...own.assigns.values()],
      fetches: results.map(([name, tensor]) => ({ name, tensor })),
    }
  } finally {
    active = outer
  }
}

/** Refuses what a traced function may not return; a promise above all, as what it does later is in no trace. */
function expectTensors(name: string, built: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  const given: unknown = built
  if (given instanceof Promise) given.catch(() => undefined)
  const good = typeof given === 'object' && given !== null && !(given instanceof Promise || given instanceof Tensor)
  if (good) return built
  throw new GraphError(`${name}: expected a function that returns tensors by name, got ${is.shown(given)}`)
}

/** The tensor, where it is of this dtype. @throws ShapeError */
export function ofDType<D extends DType>(x: Tensor, dtype: D, what: string): Tensor<D> {
  if (x.dtype === dtype) return x as Tensor<D>
  throw new ShapeError(`${what}: expected ${dtype}, got ${x.dtype}${formatShape(x.shape)}`)
}

/** Refuses what is no tensor; a promise comes of an async function. */
export function expectTensor(value: unknown, what: string): asserts value is Tensor {
  if (value instanceof Tensor) return
  if (!(value instanceof Promise)) throw new GraphError(`${what}: expected a tensor, got ${is.shown(value)}`)
  value.catch(() => undefined)
  throw new GraphError(`${what}: expected a tensor, got a promise: what is traced must not be async`)
}

function checkOwned(own: Trace, tensor: Tensor, what: () => string): void {
  if (tensor instanceof Tensor && own.owned.has(tensor.node)) return
  expectTensor(tensor, what())
  throw new GraphError(`${what()}: expected a tensor of this trace (${own.name}), got one that was made in another`)
}

function record<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, path?: string): Node {
  const own = current()
  inputs.forEach((input, i) => {
    checkOwned(own, input, () => `${op.name}[${own.path}]: input ${i.toString()}`)
  })
  const node = makeNode(op, inputs, attrs, { path: path ?? own.path, site: own.site ?? new Site() })
  own.owned.add(node)
  if (op.kind !== 'source') own.nodes.push(node)
  return node
}

/** Applies an op; returns all its outputs. What the op's rule makes of these inputs is no type: whoever calls it says it by one. */
export function emit<A extends Attrs, T extends readonly Tensor[] = readonly Tensor[]>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
): Readonly<T> {
  const outputs: readonly Tensor[] = record(op, inputs, attrs).outputs
  return outputs as T
}

/** Applies an op that has one output; its type is said as with `emit`. */
export function emitOne<A extends Attrs, D extends DType = DType, S extends Shape = Shape>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
): Tensor<D, S> {
  return only(record(op, inputs, attrs))
}

/** x itself where an op would change nothing of it, else the op of it. */
export function emitUnless<A extends Attrs, D extends DType, S extends Shape>(
  same: boolean,
  op: Op<A>,
  x: Tensor,
  attrs: A,
): Tensor<D, S> {
  return same ? (x as Tensor<D, S>) : emitOne(op, [x], attrs)
}

function only<D extends DType, S extends Shape>(node: Node): Tensor<D, S> {
  const [output] = node.outputs
  if (output === undefined) throw new GraphError(`${node.op.name}: expected an output, got none`)
  return output as Tensor<D, S>
}

/** Declares host data that is passed at every run. */
export function feed<D extends DType, S extends Shape>(name: string, dtype: D, shape: readonly [...S]): Tensor<D, S> {
  const own = current()
  if (own.feeds.some((known) => known.name === name)) {
    throw new GraphError(`feed: expected a new name, got ${name} a second time`)
  }
  const tensor = only<D, S>(record(feedOp, [], { name, dtype, shape: [...shape] }, name))
  own.feeds.push({ name, tensor })
  return tensor
}

/** Values fixed when the program is compiled; one number fills the whole tensor. */
export function constant<D extends DType, S extends Shape>(
  dtype: D,
  shape: readonly [...S],
  data: number | readonly number[],
): Tensor<D, S> {
  const values = typeof data === 'number' ? [data] : data
  return only(record(constantOp, [], { dtype, shape: [...shape], data: values }))
}

/** The value of a variable before the run, or what stands for it (`withStandIn`). */
export function read<D extends DType, S extends Shape>(variable: Variable<D, S>): Tensor<D, S> {
  const value = valueOf(variable)
  return (current().stands?.(variable, value) ?? value) as Tensor<D, S>
}

function valueOf(variable: Variable): Tensor {
  const own = current()
  let state = own.states.get(variable)
  if (state === undefined) {
    const name = own.names.variable(variable, own.path)
    const attrs = { name, dtype: variable.dtype, shape: [...variable.shape] }
    state = { name, variable, tensor: only(record(stateOp, [], attrs, name)) }
    own.states.set(variable, state)
  }
  return state.tensor
}

/**
 * Traces `body` so that it reads, in the place of each variable, what `standIn` makes of the variable's value: a tensor of the same type.
 * Assignments go to the variable itself. An inner one takes the outer one's place.
 */
export function withStandIn<R>(standIn: StandIn, body: () => R): R {
  const own = current()
  const outer = own.stands
  own.stands = standIn
  try {
    return body()
  } finally {
    own.stands = outer
  }
}

/** After the run the variable holds `value`; a second assignment to the same variable is refused. */
export function assign(variable: Variable, value: Tensor): void {
  const own = current()
  const before = valueOf(variable)
  const name = own.names.variable(variable, own.path)
  checkOwned(own, value, () => `assign[${name}]`)
  if (value.dtype !== variable.dtype || !sameShape(value.shape, variable.shape)) {
    throw new ShapeError(
      `assign[${name}]: expected ${variable.dtype} ${formatShape(variable.shape)}, got ${value.dtype} ${formatShape(value.shape)}`,
    )
  }
  if (own.assigns.has(variable)) throw new GraphError(`assign[${name}]: expected one assignment per run, got a second`)
  own.assigns.set(variable, { state: before, value })
}

/** Runs `build` under the path of a layer: its own name, or its kind and an ordinal. The same owner keeps its path. */
export function scope<T>(owner: object, kind: string, name: string | undefined, build: () => T): T {
  const own = current()
  return at({ path: own.names.layer(owner, own.path, kind, name), site: own.site }, build)
}

/** Runs `build` so that its nodes carry this path and call site (gradients carry those of the node they belong to). */
export function at<T>(origin: { readonly path: string; readonly site: Site | undefined }, build: () => T): T {
  const own = current()
  const { path, site } = own
  own.path = origin.path
  own.site = origin.site
  try {
    return build()
  } finally {
    own.path = path
    own.site = site
  }
}

/** Variables read so far in the trace that is running, in order of first read. */
export function variablesRead(): Variable[] {
  return [...current().states.keys()]
}

/** Path of the layer whose function is running; empty outside of any. */
export function tracePath(): string {
  return current().path
}

/** Mode of the trace that is running. */
export function traceMode(): TraceMode {
  return current().mode
}

/**
 * Number that separates the random draws of one op from all others: a hash of graph name, path and ordinal, so that
 * adding a layer leaves the draws of the others as they were.
 */
export function randomStream(): number {
  const own = current()
  const key = `${own.name}:${own.path}`
  const ordinal = own.streams.get(key) ?? 0
  own.streams.set(key, ordinal + 1)
  let hash = 0x811c9dc5 // FNV-1a, 32 bits
  for (const char of `${key}#${ordinal.toString()}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  }
  return hash & 0x7fffffff
}
