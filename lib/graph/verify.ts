// Re-checks a whole graph after a pass: order, attribute kinds, shape rules, assignments. Throws GraphError at the first fault.
import { dtypes } from './dtype.js'
import { GraphError } from './errors.js'
import type { Graph } from './graph.js'
import type { AttrKind, AttrValue } from './op.js'
import { formatShape, sameShape } from './shape.js'
import type { Node, Tensor } from './tensor.js'

const kinds: Readonly<Record<AttrKind, (value: AttrValue) => boolean>> = {
  int: (value) => Number.isSafeInteger(value),
  ints: (value) => Array.isArray(value) && value.every((item: AttrValue) => Number.isSafeInteger(item)),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  dtype: (value) => dtypes.some((dtype) => dtype === value),
  json: () => true,
}

function fail(node: Node, expected: string, got: string): never {
  throw new GraphError(`${node.op.name}[${node.path}]: expected ${expected}, got ${got}`)
}

function checkAttributes(node: Node): void {
  const schema: Readonly<Record<string, AttrKind>> = node.op.attributes
  for (const [key, kind] of Object.entries(schema)) {
    const value = node.attrs[key]
    if (value === undefined) fail(node, `attribute ${key}`, 'none')
    if (!kinds[kind](value)) fail(node, `attribute ${key} of kind ${kind}`, JSON.stringify(value))
  }
  for (const key of Object.keys(node.attrs)) {
    if (!(key in schema)) fail(node, `attributes ${Object.keys(schema).join(', ')}`, key)
  }
}

function checkOutputs(node: Node): void {
  const types = node.op.infer(node.inputs, node.attrs)
  if (types.length !== node.outputs.length) {
    fail(node, `${types.length.toString()} outputs`, node.outputs.length.toString())
  }
  for (const [i, type] of types.entries()) {
    const output = node.outputs[i]
    if (output?.node !== node || output.index !== i)
      fail(node, `output ${i.toString()} to be its own`, 'another node’s')
    if (output.dtype !== type.dtype || !sameShape(output.shape, type.shape)) {
      fail(node, `${type.dtype}${formatShape(type.shape)}`, `${output.dtype}${formatShape(output.shape)}`)
    }
  }
}

/** Nodes that agreed with their op; they never change, so that a pass is asked only about those that it made. */
const sound = new WeakSet<Node>()

function checkNode(node: Node): void {
  if (sound.has(node)) return
  checkAttributes(node)
  checkOutputs(node)
  sound.add(node)
}

/**
 * Checks a graph.
 * @throws GraphError naming the first node that is wrong.
 */
export function verify(graph: Graph): void {
  const defined = new Set<Tensor>([...graph.feeds, ...graph.states].map((source) => source.tensor))
  const known = (tensor: Tensor) => defined.has(tensor) || tensor.node.op.name === 'constant'
  for (const node of graph.nodes) {
    checkNode(node)
    for (const [i, input] of node.inputs.entries()) {
      if (!known(input))
        fail(node, `input ${i.toString()} to be defined before it is used`, `one of ${input.node.op.name}`)
    }
    for (const output of node.outputs) defined.add(output)
  }
  for (const { state, value } of graph.assigns) {
    if (state.node.op.name !== 'state' || !defined.has(state))
      fail(state.node, 'an assignment to a state of the graph', 'another tensor')
    if (!known(value)) fail(value.node, 'the assigned value to be defined', 'an undefined one')
    if (value.dtype !== state.dtype || !sameShape(value.shape, state.shape)) {
      fail(state.node, `a value ${state.dtype}${formatShape(state.shape)}`, `${value.dtype}${formatShape(value.shape)}`)
    }
  }
  for (const { name, tensor } of graph.fetches) {
    if (!known(tensor)) throw new GraphError(`fetch[${name}]: expected a tensor of the graph, got an undefined one`)
  }
}
