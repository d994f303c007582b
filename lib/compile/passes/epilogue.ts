// Moves a bias and an activation into the matmul or conv2d that feeds them, where nobody else reads what lies between:
// the kernel applies them to the result while it is still in registers.
import { type Graph, makeNode, type Node, sameShape, type Tensor } from '../../graph/index.js'
import { activations } from '../../ops/activation.js'
import { input, opNamed, output, rewrite, type Rewriter, type Uses, usesOf } from '../rewrite.js'
import { dce } from './dce.js'

/** Where an op takes a bias. */
const epilogueOf = ({ op }: Node) => (op.kind === 'kernel' ? op.epilogue : 'none')

/** The product that wrote `tensor`, when it has no activation yet and writes nothing else. */
function openProduct({ node }: Tensor): Node | undefined {
  if (epilogueOf(node) === 'none') return undefined
  return node.attrs['activation'] === 'none' && node.outputs.length === 1 ? node : undefined
}

/** The axis of the product that a bias runs along, and how many axes come after it. */
function biasShape(product: Node): { readonly extent: number; readonly trailing: number } {
  const { shape } = output(product)
  return epilogueOf(product) === 'lastAxis'
    ? { extent: shape.at(-1) ?? 1, trailing: 0 }
    : { extent: shape[1] ?? 1, trailing: shape.length - 2 }
}

/** `tensor` as a vector along the bias axis of the product; undefined when it varies along another axis, or is no f32. */
function asBias(product: Node, tensor: Tensor, rewriter: Rewriter): Tensor | undefined {
  const { extent, trailing } = biasShape(product)
  const full = [extent, ...new Array<number>(trailing).fill(1)]
  const leading = tensor.shape.length - full.length
  const fits = leading >= 0 && sameShape(tensor.shape, [...new Array<number>(leading).fill(1), ...full])
  if (!fits || tensor.dtype !== 'f32') return undefined
  if (tensor.shape.length === 1) return tensor
  const { node } = tensor
  if (node.op.name === 'reshape' && sameShape(input(node, 0).shape, [extent])) return input(node, 0)
  return output(rewriter.emit(opNamed('reshape'), [tensor], { shape: [extent] }, node))
}

function withBias(node: Node, old: Node, uses: Uses, rewriter: Rewriter): Tensor | undefined {
  for (const i of [0, 1]) {
    const product = openProduct(input(node, i))
    if (product?.inputs.length !== 2 || uses.count(input(old, i)) !== 1) continue
    if (!sameShape(output(product).shape, output(node).shape)) continue
    const bias = asBias(product, input(node, 1 - i), rewriter)
    if (bias !== undefined) return output(rewriter.emit(product.op, [...product.inputs, bias], product.attrs, product))
  }
  return undefined
}

const isActivation = (name: string) => name !== 'none' && activations.some((activation) => activation === name)

function withActivation(node: Node, old: Node, uses: Uses, rewriter: Rewriter): Tensor | undefined {
  const product = openProduct(input(node, 0))
  if (product === undefined || uses.count(input(old, 0)) !== 1) return undefined
  const fused = makeNode(product.op, product.inputs, { ...product.attrs, activation: node.op.name }, product)
  rewriter.nodes.push(fused)
  return output(fused)
}

export function epilogue(graph: Graph): Graph {
  const uses = usesOf(graph)
  return dce(
    rewrite(graph, (node, old, rewriter) => {
      const fuse = node.op.name === 'add' ? withBias : isActivation(node.op.name) ? withActivation : undefined
      const tensor = fuse?.(node, old, uses, rewriter)
      return tensor === undefined ? undefined : [tensor]
    }),
  )
}
