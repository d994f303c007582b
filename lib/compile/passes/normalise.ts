// Moves a residual and a relu into the normalisation or affine map before them, and a relu's gradient into the gradient of the
// normalisation: each saves a pass over memory. Only where nobody else reads what lies between, and the residual is there before.
import { type Graph, makeNode, type Node, sameShape, type Tensor } from '../../graph/index.js'
import { input, output, rewrite, type Rewriter, type Uses, usesOf } from '../rewrite.js'
import { dce } from './dce.js'

const maps = new Set(['batchNorm', 'channelAffine'])

/** The only reader of a tensor, if it is of this op. */
function onlyReader(tensor: Tensor, op: string, uses: Uses): Node | undefined {
  const [reader] = uses.readers(tensor)
  return uses.count(tensor) === 1 && reader?.op.name === op ? reader : undefined
}

/** What follows a map of the old graph and can be part of it. */
function tailOf(map: Node, uses: Uses, isBefore: (tensor: Tensor, node: Node) => boolean) {
  const absorbed: Node[] = []
  let residual: Tensor | undefined
  let result = output(map)
  const sum = onlyReader(result, 'add', uses)
  const other = sum?.inputs.find((tensor) => tensor !== result)
  if (sum && other && sameShape(other.shape, result.shape) && isBefore(other, map)) {
    absorbed.push(sum)
    residual = other
    result = output(sum)
  }
  const relu = onlyReader(result, 'relu', uses)
  if (relu) absorbed.push(relu)
  return { absorbed, residual, activation: relu ? 'relu' : 'none' }
}

/** batchNormGrad(reluGrad(dy, y), x, ...) with y = relu of the normalised x: the sign of y is that of what x gives. */
function withReluGrad(node: Node, old: Node, uses: Uses, rewriter: Rewriter): readonly Tensor[] | undefined {
  const mask = input(node, 0).node
  if (mask.op.name !== 'reluGrad' || uses.count(input(old, 0)) !== 1) return undefined
  const map = input(mask, 1).node
  const isOwn = map.op.name === 'batchNorm' && map.attrs['activation'] === 'relu' && map.inputs.length === 3
  if (!isOwn || output(map) !== input(mask, 1) || output(map, 1) !== input(node, 4)) return undefined
  const inputs = [input(mask, 0), ...node.inputs.slice(1)]
  return rewriter.emit(node.op, inputs, { ...node.attrs, activation: 'relu' }, node).outputs
}

export function normalise(graph: Graph): Graph {
  const uses = usesOf(graph)
  const position = new Map(graph.nodes.map((node, i) => [node, i]))
  const isBefore = (tensor: Tensor, node: Node) => (position.get(tensor.node) ?? -1) < (position.get(node) ?? 0)
  /** Nodes that became part of a map, and its result. */
  const absorbed = new Map<Node, Tensor>()
  return dce(
    rewrite(graph, (node, old, rewriter) => {
      const part = absorbed.get(old)
      if (part) return [part]
      if (node.op.name === 'batchNormGrad') return withReluGrad(node, old, uses, rewriter)
      if (!maps.has(node.op.name) || node.attrs['activation'] !== 'none' || node.inputs.length !== 3) return undefined
      const tail = tailOf(old, uses, isBefore)
      if (tail.absorbed.length === 0) return undefined
      const inputs = tail.residual ? [...node.inputs, rewriter.get(tail.residual)] : node.inputs
      const fused = makeNode(node.op, inputs, { ...node.attrs, activation: tail.activation }, node)
      rewriter.nodes.push(fused)
      for (const each of tail.absorbed) absorbed.set(each, output(fused))
      return fused.outputs
    }),
  )
}
