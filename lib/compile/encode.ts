// Writes a graph as program text, version 1 (native/program/FORMAT.md). Equal graphs give equal text.
// Refuses constants that are not finite and ops that no backend runs.
import { type Attrs, type Graph, GraphError, type Node, type Tensor } from '../graph/index.js'
import { checkConstant } from './evaluate.js'

const version = 1

/** Value numbers, dense, in the order feeds, states, constants, node outputs. */
class Values {
  readonly #ids = new Map<Tensor, number>()
  readonly #constants = new Map<string, number>()
  #next = 0
  readonly constantLines: string[] = []

  define(tensor: Tensor): number {
    this.#ids.set(tensor, this.#next)
    return this.#next++
  }

  /** Constants of the same content are one value. */
  constant(tensor: Tensor): void {
    if (this.#ids.has(tensor)) return
    checkConstant(tensor)
    const data = tensor.node.attrs['data'] as readonly number[]
    const body = `"dtype": ${text(tensor.dtype)}, "shape": ${list(tensor.shape)}, "data": ${list(data)}`
    const known = this.#constants.get(body)
    if (known !== undefined) {
      this.#ids.set(tensor, known)
      return
    }
    const id = this.define(tensor)
    this.#constants.set(body, id)
    this.constantLines.push(`{"value": ${id}, ${body}}`)
  }

  get(tensor: Tensor): number {
    const id = this.#ids.get(tensor)
    if (id === undefined)
      throw new GraphError(
        `${tensor.node.op.name}[${tensor.node.path}]: expected a value defined before its use, got a later one`,
      )
    return id
  }
}

const text = (value: unknown): string => JSON.stringify(value)
const list = (values: readonly number[]): string => `[${values.map((value) => text(value)).join(', ')}]`
const typed = (tensor: Tensor): string => `"dtype": ${text(tensor.dtype)}, "shape": ${list(tensor.shape)}`

function attributes(attrs: Attrs): string {
  const pairs = Object.keys(attrs)
    .sort()
    .map((key) => `${text(key)}: ${text(attrs[key])}`)
  return `{${pairs.join(', ')}}`
}

function nodeLine(values: Values, node: Node): string {
  if (node.op.kind !== 'kernel') {
    throw new GraphError(`${node.op.name}[${node.path}]: expected a kernel, got an op of kind ${node.op.kind}`)
  }
  const inputs = list(node.inputs.map((input) => values.get(input)))
  const outputs = node.outputs.map((output) => `{"value": ${values.define(output)}, ${typed(output)}}`).join(', ')
  return `{"op": ${text(node.op.name)}, "in": ${inputs}, "out": [${outputs}], "attrs": ${attributes(node.attrs)}, "path": ${text(node.path)}}`
}

function section(key: string, lines: readonly string[]): string {
  return lines.length === 0 ? `${text(key)}: []` : `${text(key)}: [\n  ${lines.join(',\n  ')}\n]`
}

/** Every constant that a node, an assignment or a fetch takes, in order of first use. */
function constantsOf(graph: Graph): Tensor[] {
  const used = [
    ...graph.nodes.flatMap((node) => node.inputs),
    ...graph.assigns.map((assign) => assign.value),
    ...graph.fetches.map((fetch) => fetch.tensor),
  ]
  return used.filter((tensor) => tensor.node.op.name === 'constant')
}

/**
 * Writes the program text of a graph that has gone through all passes; `tf32` allows products of f32 to round to it.
 * @throws GraphError for a constant that is not finite, and for a node that is not a kernel.
 */
export function encode(graph: Graph, tf32 = false): string {
  const values = new Values()
  const feeds = graph.feeds.map(
    ({ name, tensor }) => `{"value": ${values.define(tensor)}, "name": ${text(name)}, ${typed(tensor)}}`,
  )
  const states = graph.states.map(
    ({ name, tensor }) => `{"value": ${values.define(tensor)}, "name": ${text(name)}, ${typed(tensor)}}`,
  )
  for (const tensor of constantsOf(graph)) values.constant(tensor)
  const nodes = graph.nodes.map((node) => nodeLine(values, node))
  const assigns = graph.assigns.map(
    ({ state, value }) => `{"state": ${values.get(state)}, "value": ${values.get(value)}}`,
  )
  const fetches = graph.fetches.map(({ name, tensor }) => `{"name": ${text(name)}, "value": ${values.get(tensor)}}`)
  const sections = [
    section('feeds', feeds),
    section('states', states),
    section('constants', values.constantLines),
    section('nodes', nodes),
    section('assigns', assigns),
    section('fetches', fetches),
  ]
  const math = tf32 ? '"math": "tf32", ' : ''
  return `{"format": "ostrich-program", "version": ${version}, ${math}"name": ${text(graph.name)},\n${sections.join(',\n')}}\n`
}
