// The gradient of a tensor that is read slice by slice, as a loop over time reads its inputs, is a sum of pads, each as large as the
// whole: time and memory grow with the square of the steps. Pads that lie apart along one axis are joined by one concat. Exact: at
// each place all terms but one are zeros; a sum with another tensor stays, as the last addition.
import { constantOp, type Graph, makeNode, type Node, type Tensor } from '../../graph/index.js'
import { input, opNamed, output, rewrite, type Rewriter, usesOf } from '../rewrite.js'
import { dce } from './dce.js'
import { sumsIn, type Term, termsOf } from './terms.js'

/** Fewer are no more work as pads. */
const FEWEST = 3

/** Where a pad's operand lies in the whole. */
interface Part {
  readonly from: Tensor
  readonly axis: number
  readonly start: number
  readonly end: number
}

function partOf(tensor: Tensor): Part | undefined {
  const { op, attrs } = tensor.node
  if (op.name !== 'pad' || attrs['value'] !== 0) return undefined
  const [before, after] = [attrs['before'], attrs['after']] as (readonly number[])[]
  const padded = tensor.shape.flatMap((_, i) => (before![i]! > 0 || after![i]! > 0 ? [i] : []))
  const [axis] = padded
  if (axis === undefined || padded.length > 1) return undefined
  return { from: input(tensor.node, 0), axis, start: before![axis]!, end: tensor.shape[axis]! - after![axis]! }
}

interface Sum {
  readonly parts: readonly Part[]
  /** What is no pad. */
  readonly rest: Tensor | undefined
}

/** Pads and what is no pad; undefined where they do not lie apart along one axis. */
function sumOf(terms: readonly Term[]): Sum | undefined {
  const parts: Part[] = []
  const rest: Tensor[] = []
  for (const { tensor, alone } of terms) {
    const part = alone ? partOf(tensor) : undefined
    if (part === undefined) rest.push(tensor)
    else parts.push(part)
  }
  parts.sort((a, b) => a.start - b.start)
  const apart = parts.every(({ axis, start }, i) => i === 0 || (axis === parts[0]!.axis && start >= parts[i - 1]!.end))
  return apart && parts.length >= FEWEST && rest.length <= 1 ? { parts, rest: rest[0] } : undefined
}

/** The parts in order, with zeros where there is none. */
function joined(root: Node, parts: readonly Part[], rewriter: Rewriter): Tensor {
  const { dtype, shape } = output(root)
  const { axis } = parts[0]!
  const pieces: Tensor[] = []
  let at = 0
  const fillTo = (end: number): void => {
    if (end === at) return
    const gap = shape.map((n, i) => (i === axis ? end - at : n))
    pieces.push(output(makeNode(constantOp, [], { dtype, shape: gap, data: [0] }, root)))
  }
  for (const { from, start, end } of parts) {
    fillTo(start)
    pieces.push(rewriter.get(from))
    at = end
  }
  fillTo(shape[axis]!)
  return output(rewriter.emit(opNamed('concat'), pieces, { axis }, root))
}

export function joinPads(graph: Graph): Graph {
  const uses = usesOf(graph)
  const sums = new Map<Node, Sum>()
  for (const node of sumsIn(graph, uses)) {
    const terms = termsOf(node, uses)
    const sum = terms && sumOf(terms)
    if (sum !== undefined) sums.set(node, sum)
  }
  if (sums.size === 0) return graph
  return dce(
    rewrite(graph, (node, old, rewriter) => {
      const sum = sums.get(old)
      if (sum === undefined) return undefined
      const whole = joined(old, sum.parts, rewriter)
      if (sum.rest === undefined) return [whole]
      return rewriter.emit(node.op, [whole, rewriter.get(sum.rest)], node.attrs, node).outputs
    }),
  )
}
