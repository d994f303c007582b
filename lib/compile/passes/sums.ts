// The gradient of a bias is a sum over the same tensor that the weight gradient reads: conv2dGradWeight takes it along
// with `sumDy`, matmul with `sumA`. Only where exact: the sum reads that tensor itself, or its cast from bf16 to f32.
import { type Graph, makeNode, type Node, sameShape, type Tensor } from '../../graph/index.js'
import { input, output, rewrite, type Rewriter, widened } from '../rewrite.js'

/** A product that can sum one of its operands along. */
interface Summing {
  readonly operand: Tensor
  readonly axes: readonly number[]
  readonly flag: 'sumA' | 'sumDy'
}

function summing(node: Node): Summing | undefined {
  if (node.op.name === 'conv2dGradWeight' && node.attrs['sumDy'] === false) {
    return { operand: input(node, 1), axes: [0, 2, 3], flag: 'sumDy' }
  }
  const plain = node.op.name === 'matmul' && node.attrs['sumA'] === false && node.inputs.length === 2
  const weightGradient = node.attrs['transposeA'] === true && node.attrs['transposeB'] === false
  if (!plain || !weightGradient || node.attrs['activation'] !== 'none') return undefined
  if (node.inputs.some((tensor) => tensor.shape.length !== 2)) return undefined
  return { operand: input(node, 0), axes: [0], flag: 'sumA' }
}

function matches(sum: Node, product: Node): boolean {
  const found = summing(product)
  const summed = input(sum, 0)
  return (
    found !== undefined &&
    output(sum).dtype === 'f32' &&
    found.operand === (widened(summed) ?? summed) &&
    sameShape(sum.attrs['axes'] as readonly number[], found.axes) &&
    sum.attrs['keepDims'] === false
  )
}

/** Pairs each sum with the first product that can take it along; a product takes one. */
function pairs(graph: Graph): Map<Node, Node> {
  const partner = new Map<Node, Node>()
  const products = graph.nodes.filter((node) => summing(node) !== undefined)
  for (const sum of graph.nodes) {
    if (sum.op.name !== 'sum') continue
    const product = products.find((node) => !partner.has(node) && matches(sum, node))
    if (product !== undefined) partner.set(sum, product).set(product, sum)
  }
  return partner
}

export function sums(graph: Graph): Graph {
  const partner = pairs(graph)
  const position = new Map(graph.nodes.map((node, i) => [node, i]))
  /** Both results stand where the first of the two nodes stood, if the product's operands are known by then. */
  const ready = (product: Node, first: Node) =>
    product.inputs.every((tensor) => (position.get(tensor.node) ?? -1) < (position.get(first) ?? 0))
  const done = new Map<Node, Node>()
  const fused = (product: Node, rewriter: Rewriter): Node => {
    const inputs = product.inputs.map((tensor) => rewriter.get(tensor))
    const flag = summing(product)?.flag ?? 'sumA'
    const node = makeNode(product.op, inputs, { ...product.attrs, [flag]: true }, product)
    rewriter.nodes.push(node)
    done.set(product, node)
    return node
  }
  return rewrite(graph, (_node, old, rewriter) => {
    const other = partner.get(old)
    if (other === undefined) return undefined
    const [product, sum] = old.op.name === 'sum' ? [other, old] : [old, other]
    const first = (position.get(product) ?? 0) < (position.get(sum) ?? 0) ? product : sum
    if (!ready(product, first)) return undefined
    const node = done.get(product) ?? fused(product, rewriter)
    return old === sum ? [output(node, 1)] : [output(node)]
  })
}
