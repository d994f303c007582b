// The gradient of weights that a loop over time reads at each step is a sum of products of few rows, dy1^T x1 + dy2^T x2 + ..., each of
// which is as slow to begin and to add as a product of many. They are one product of all rows, and the sums over rows that are the
// gradient of a bias are one sum. So are the gradients of a convolution's weights, where there are more weights than values of its images.
// Equal but for the order of the additions.
import { type Graph, type Node, sameShape, type Tensor } from '../../graph/index.js'
import { input, opNamed, output, rewrite, type Rewriter, usesOf } from '../rewrite.js'
import { dce } from './dce.js'
import { sumsIn, type Term, termsOf } from './terms.js'

/** Fewer gain less than what is copied costs. */
const FEWEST = 3
/** Products of more rows are as fast alone. */
const MOST_ROWS = 1024

const elements = ({ shape }: Tensor): number => shape.reduce((product, extent) => product * extent, 1)

/** Whether it is the gradient of weights or of a bias, and copying what it reads costs less than adding what it gives. */
function isSmall(node: Node): boolean {
  const { op, attrs, inputs, outputs } = node
  if (op.name === 'conv2dGradWeight') {
    const images = inputs.reduce((sum, one) => sum + elements(one), 0)
    return attrs['sumDy'] === false && elements(output(node)) > images
  }
  if (inputs.some(({ shape }) => shape.length !== 2) || (inputs[0]?.shape[0] ?? 0) > MOST_ROWS) return false
  if (op.name === 'sum') return sameShape(attrs['axes'] as readonly number[], [0]) && attrs['keepDims'] === false
  if (op.name !== 'matmul' || inputs.length !== 2 || outputs.length !== 1) return false
  const plain = attrs['activation'] === 'none' && attrs['sumA'] === false
  return plain && attrs['transposeA'] === true && attrs['transposeB'] === false
}

/** The same for terms that may be joined; undefined for those that are joined with none. */
function keyOf({ tensor: { node }, alone }: Term): string | undefined {
  if (!alone || !isSmall(node)) return undefined
  // Operands of one dtype and of the same extents but for the first make one tensor.
  return JSON.stringify([node.op.name, node.attrs, node.inputs.map(({ dtype, shape }) => [dtype, ...shape.slice(1)])])
}

interface Sum {
  /** By kind, those that are joined, in the order of the graph. */
  readonly joined: readonly (readonly Node[])[]
  readonly rest: readonly Tensor[]
}

function sumOf(terms: readonly Term[], position: ReadonlyMap<Node, number>): Sum | undefined {
  const groups = new Map<string, Node[]>()
  const rest: Tensor[] = []
  for (const term of terms) {
    const { node } = term.tensor
    const key = keyOf(term)
    if (key === undefined) rest.push(term.tensor)
    else groups.set(key, [...(groups.get(key) ?? []), node])
  }
  const [many, few] = [true, false].map((wanted) =>
    [...groups.values()].filter((nodes) => nodes.length >= FEWEST === wanted),
  )
  if (many!.length === 0) return undefined
  const inOrder = (nodes: readonly Node[]) => nodes.toSorted((a, b) => position.get(a)! - position.get(b)!)
  return { joined: many!.map(inOrder), rest: [...rest, ...few!.flat().map((node) => output(node))] }
}

/** One product, or sum, of the rows of all. */
function joined(nodes: readonly Node[], root: Node, rewriter: Rewriter): Tensor {
  const [first] = nodes
  const operands = first!.inputs.map((_, i) => {
    const rows = nodes.map((node) => rewriter.get(input(node, i)))
    return output(rewriter.emit(opNamed('concat'), rows, { axis: 0 }, root))
  })
  return output(rewriter.emit(first!.op, operands, first!.attrs, first!))
}

export function joinProducts(graph: Graph): Graph {
  const uses = usesOf(graph)
  const position = new Map(graph.nodes.map((node, i) => [node, i]))
  const sums = new Map<Node, Sum>()
  for (const root of sumsIn(graph, uses)) {
    const terms = termsOf(root, uses)
    const sum = terms && sumOf(terms, position)
    if (sum !== undefined) sums.set(root, sum)
  }
  if (sums.size === 0) return graph
  return dce(
    rewrite(graph, (node, old, rewriter) => {
      const sum = sums.get(old)
      if (sum === undefined) return undefined
      const wholes = [
        ...sum.joined.map((nodes) => joined(nodes, old, rewriter)),
        ...sum.rest.map((one) => rewriter.get(one)),
      ]
      return [wholes.reduce((total, one) => output(rewriter.emit(node.op, [total, one], node.attrs, node)))]
    }),
  )
}
