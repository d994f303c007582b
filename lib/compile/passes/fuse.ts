// Puts pointwise nodes into chains: one pass over memory instead of one per op. Every pointwise node ends in a chain,
// alone where nothing fits. Refuses pointwise attributes other than dtype, for which a chain has no place.
import {
  broadcastShapes,
  type Graph,
  GraphError,
  makeNode,
  type Node,
  sameShape,
  type Tensor,
} from '../../graph/index.js'
import { type ChainInstruction, type ChainOperand, pointwiseOp } from '../../ops/pointwise-chain.js'
import { checkConstant } from '../evaluate.js'
import { type Group, Groups, isLiteral } from '../groups.js'
import { input, output, Rewriter, usesOf } from '../rewrite.js'

/** A widening cast costs nothing inside a chain, but a stored copy outside: every pointwise reader gets its own. */
function splitCasts(graph: Graph): Graph {
  const uses = usesOf(graph)
  const rewriter = new Rewriter()
  const widening = (node: Node) =>
    node.op.name === 'cast' && output(node).dtype === 'f32' && input(node, 0).dtype !== 'f32'
  for (const old of graph.nodes) {
    let node = rewriter.rebuild(old)
    if (node.op.kind === 'pointwise') {
      const copies = new Map<Tensor, Tensor>()
      for (const tensor of node.inputs) {
        if (!widening(tensor.node) || copies.has(tensor) || uses.count(tensor) < 2) continue
        const { op, inputs, attrs } = tensor.node
        copies.set(tensor, output(rewriter.emit(op, inputs, attrs, tensor.node)))
      }
      if (copies.size > 0)
        node = makeNode(
          node.op,
          node.inputs.map((tensor) => copies.get(tensor) ?? tensor),
          node.attrs,
          node,
        )
    }
    rewriter.nodes.push(node)
    for (const [i, tensor] of old.outputs.entries()) if (node !== old) rewriter.replace(tensor, output(node, i))
  }
  return rewriter.finish(graph)
}

/** Inputs of the chain in order of first use; a constant stays an input where the others alone give a smaller shape. */
function chainInputs(group: Group): Tensor[] {
  const inside = new Set(group.nodes)
  const outer = [...new Set(group.nodes.flatMap((node) => node.inputs).filter((tensor) => !inside.has(tensor.node)))]
  const read = outer.filter((tensor) => !isLiteral(tensor))
  const shape = group.nodes[0]?.outputs[0]?.shape ?? []
  const given = read.length > 0 ? broadcastShapes(...read.map((tensor) => tensor.shape)) : undefined
  return given !== undefined && sameShape(given, shape) ? read : outer
}

function operandsOf(node: Node, registers: ReadonlyMap<Tensor, number>): ChainOperand[] {
  return node.inputs.map((tensor) => {
    const register = registers.get(tensor)
    if (register !== undefined) return register
    checkConstant(tensor)
    const [value = 0] = tensor.node.attrs['data'] as readonly number[]
    return { c: value }
  })
}

function emitChain(group: Group, outputs: readonly Tensor[], rewriter: Rewriter): void {
  const inputs = chainInputs(group)
  const registers = new Map<Tensor, number>(inputs.map((tensor, i) => [tensor, i]))
  const chain: ChainInstruction[] = []
  for (const node of group.nodes) {
    const extra = Object.keys(node.attrs).find((key) => key !== 'dtype')
    if (extra !== undefined)
      throw new GraphError(`${node.op.name}[${node.path}]: expected no attribute of a pointwise op, got ${extra}`)
    chain.push([node.op.name, output(node).dtype, ...operandsOf(node, registers)])
    registers.set(output(node), inputs.length + chain.length - 1)
  }
  const attrs = { chain, outputs: outputs.map((tensor) => registers.get(tensor) ?? -1) }
  const origin = outputs.at(-1)?.node ?? { path: '', site: undefined }
  const fused = rewriter.emit(
    pointwiseOp,
    inputs.map((tensor) => rewriter.get(tensor)),
    attrs,
    origin,
  )
  for (const [i, tensor] of outputs.entries()) rewriter.replace(tensor, output(fused, i))
}

export function fuse(graph: Graph): Graph {
  const split = splitCasts(graph)
  const groups = new Groups(split)
  const rewriter = new Rewriter()
  for (const group of groups.list()) {
    const [node] = group.nodes
    if (node === undefined) continue
    if (node.op.kind === 'pointwise') {
      const outputs = groups.outputs(group.nodes)
      if (outputs.length > 0) emitChain(group, outputs, rewriter)
      continue
    }
    const kept = rewriter.rebuild(node)
    rewriter.nodes.push(kept)
    for (const [i, tensor] of node.outputs.entries()) if (kept !== node) rewriter.replace(tensor, output(kept, i))
  }
  return rewriter.finish(split)
}
