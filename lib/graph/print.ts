// Stable text of a graph: one line per node, values numbered in order. Equal graphs print equal text.
import type { Graph } from './graph.js'
import type { AttrValue } from './op.js'
import { formatShape } from './shape.js'
import type { Node, Tensor } from './tensor.js'

/** Numbers values in order of first definition. */
class Numbering {
  readonly #ids = new Map<Tensor, number>()

  name(tensor: Tensor): string {
    let id = this.#ids.get(tensor)
    if (id === undefined) {
      id = this.#ids.size
      this.#ids.set(tensor, id)
    }
    return `%${id.toString()}`
  }
}

function typed(numbering: Numbering, tensor: Tensor): string {
  return `${numbering.name(tensor)}: ${tensor.dtype}${formatShape(tensor.shape)}`
}

function attribute(value: AttrValue): string {
  return JSON.stringify(value)
}

function operand(numbering: Numbering, tensor: Tensor): string {
  if (tensor.node.op.name !== 'constant') return numbering.name(tensor)
  const { data } = tensor.node.attrs
  return `${tensor.dtype}${formatShape(tensor.shape)}${attribute(data ?? [])}`
}

function nodeLine(numbering: Numbering, node: Node): string {
  const inputs = node.inputs.map((input) => operand(numbering, input)).join(', ')
  const outputs = node.outputs.map((output) => typed(numbering, output)).join(', ')
  const attrs = Object.keys(node.attrs)
    .sort()
    .map((key) => ` ${key}=${attribute(node.attrs[key] ?? '')}`)
    .join('')
  return `  ${outputs} = ${node.op.name}(${inputs})${attrs}${node.path === '' ? '' : `  # ${node.path}`}`
}

/**
 * Prints a graph as text.
 * @example printGraph(graph) // graph mlp {\n  feed %0: f32[128, 784] x\n ...
 */
export function printGraph(graph: Graph): string {
  const numbering = new Numbering()
  const lines = [`graph ${graph.name} {`]
  for (const { name, tensor } of graph.feeds) lines.push(`  feed ${typed(numbering, tensor)} ${name}`)
  for (const { name, tensor } of graph.states) lines.push(`  state ${typed(numbering, tensor)} ${name}`)
  for (const node of graph.nodes) lines.push(nodeLine(numbering, node))
  for (const { state, value } of graph.assigns)
    lines.push(`  assign ${operand(numbering, state)} <- ${operand(numbering, value)}`)
  for (const { name, tensor } of graph.fetches) lines.push(`  fetch ${name} = ${operand(numbering, tensor)}`)
  return `${lines.join('\n')}\n}\n`
}
