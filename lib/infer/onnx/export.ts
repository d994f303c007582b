// A traced network as an ONNX model: its inputs, its weights, an operator or a few for each of its nodes.
import { type OnnxModel, type OnnxValue } from '../../files/index.js'
import { type Graph, type GraphAssign, type HostArray, type Node, type Tensor } from '../../graph/index.js'
import { VERSION } from '../../base/index.js'
import type { Conversion, Converter } from './converter.js'
import { constantOf, Emitter, typeOf } from './emitter.js'
import { Batches, type Extent, nodesOf, refused } from './extents.js'
import { layers } from './layers.js'
import { moving } from './moving.js'
import { pointwise } from './pointwise.js'
import { CELLS, lastCells, recurrent } from './recurrent.js'

const converters: Readonly<Record<string, Converter>> = { ...pointwise, ...moving, ...layers, ...recurrent }

/** What the extent is called that runtimes choose. */
const BATCH = 'batch'

/**
 * The model of a network.
 * @param graphs the network traced in several batches, or in the one that is fixed
 * @param values of its variables, by path
 * @throws OstrichError `ERR_OPTION`, for an op that ONNX has no operators for
 */
export function onnxModel(
  graphs: readonly [Graph, ...Graph[]],
  sizes: readonly number[],
  values: Readonly<Record<string, HostArray>>,
): OnnxModel {
  const [graph] = graphs
  const batches = new Batches(graphs, sizes)
  const named = (extents: readonly Extent[]) =>
    extents.map(({ per, plus }) => (per === 0 ? plus : per === 1 && plus === 0 ? BATCH : `${per} * ${BATCH} + ${plus}`))
  const value = (name: string, tensor: Tensor): OnnxValue => ({
    name,
    type: typeOf(tensor.dtype),
    shape: named(batches.shape(tensor)),
  })
  const carried = graph.assigns.map((assign) => ({ ...assign, name: carriedName(assign) }))
  const inputs = [
    ...graph.feeds.map(({ name, tensor }) => value(name, tensor)),
    ...carried.map(({ name, state }) => value(name, state)),
  ]
  const source = inputs.find(({ shape }) => shape.includes(BATCH))
  const emitter = new Emitter(batches, source && { name: source.name, axis: source.shape.indexOf(BATCH) })
  for (const { name, tensor } of graph.feeds) emitter.name(tensor, name)
  for (const { name, state } of carried) emitter.name(state, name)
  const results = [...graph.fetches, ...carried.map(({ name, value: tensor }) => ({ name: `${name}/next`, tensor }))]
  const needed = neededBy(
    results.map(({ tensor }) => tensor.node),
    graph,
  )
  for (const node of nodesOf(graph)) {
    if (needed.has(node)) convert(emitter, node, values)
  }
  const outputs = results.map(({ name, tensor }): OnnxValue => {
    emitter.nodes.push({
      op: 'Identity',
      name: `${name}/out`,
      inputs: [emitter.nameOf(tensor)],
      outputs: [name],
      attributes: {},
    })
    return value(name, tensor)
  })
  const producer = { name: 'ostrich', version: VERSION }
  return { name: graph.name, producer, inputs, outputs, tensors: emitter.tensors, nodes: emitter.nodes }
}

/** A state that a run leaves to the next: what its variable is called, without the streams that it was traced with. */
function carriedName({ state }: GraphAssign): string {
  return state.node.path.replace(/\d+(x\d+)*(_eval)?$/, '')
}

function neededBy(ends: readonly Node[], graph: Graph): Set<Node> {
  const needed = new Set(ends)
  for (const node of nodesOf(graph).reverse()) {
    if (!needed.has(node)) continue
    for (const input of node.inputs) needed.add(input.node)
  }
  return needed
}

function convert(emitter: Emitter, node: Node, values: Readonly<Record<string, HostArray>>): void {
  const [output] = node.outputs
  const { op, path } = node
  if (op.name === 'feed' || (output !== undefined && emitter.has(output))) return
  emitter.at(node)
  if (op.kind === 'marker') {
    emitter.name(output!, emitter.nameOf(node.inputs[0]!))
    return
  }
  if (op.name === 'constant') {
    if (!emitter.batches.isFixed(node, 'data')) throw refused(node, 'values that do not depend on the batch')
    emitter.name(output!, constantOf(emitter, node))
    return
  }
  if (op.name === 'state') {
    const data = values[path]
    if (data === undefined) throw refused(node, `a variable with a value, got ${path}`)
    emitter.name(output!, emitter.tensor(path, typeOf(output!.dtype), output!.shape, data))
    return
  }
  const converter = converters[op.name]
  if (converter === undefined) throw refused(node, 'an op that ONNX has operators for')
  const names = converted(emitter, node, converter)
  for (const [i, name] of names.entries()) emitter.name(node.outputs[i]!, name)
}

function converted(emitter: Emitter, node: Node, converter: Converter): readonly string[] {
  const { batches } = emitter
  const conversion: Conversion = {
    emitter,
    node,
    inputs: node.inputs.map((input) => emitter.nameOf(input)),
    ints: (name) => batches.ints(node, name),
    fixed: (name) => {
      if (!batches.isFixed(node, name)) throw refused(node, `${name} not to depend on the batch`)
      return node.attrs[name] as readonly number[]
    },
    shape: (input) => batches.shape(input === undefined ? node.outputs[0]! : node.inputs[input]!),
  }
  const cells =
    node.op.name === 'slice'
      ? lastCells(conversion.inputs[0]!, node, conversion.ints('start'), conversion.ints('size'))
      : undefined
  if (cells !== undefined) return [cells]
  const unknown = conversion.inputs.find((name) => name.startsWith(CELLS))
  if (unknown !== undefined) throw refused(node, 'nothing of the cells of an LSTM but those after its last step')
  return converter(conversion)
}
