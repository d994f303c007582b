// Sums in a graph: trees of additions of tensors of one shape, which passes take apart.
import { type Graph, type Node, sameShape, type Tensor } from '../../graph/index.js'
import { output, type Uses } from '../rewrite.js'

/** What a sum is of. */
export interface Term {
  readonly tensor: Tensor
  /** Whether nothing but this sum reads it. */
  readonly alone: boolean
}

/** The last addition of each sum: those that no larger sum alone reads. */
export function sumsIn(graph: Graph, uses: Uses): readonly Node[] {
  const isInner = (node: Node): boolean => {
    const [reader, ...others] = uses.readers(output(node))
    const only = others.length === 0 && !uses.leaves(output(node))
    return only && reader?.op.name === 'add' && sameShape(output(reader).shape, output(node).shape)
  }
  return graph.nodes.filter((node) => node.op.name === 'add' && !isInner(node))
}

/** The terms of a sum, those of its inner sums that nobody else reads among them; undefined where one is broadcast. */
export function termsOf(root: Node, uses: Uses): readonly Term[] | undefined {
  const terms: Term[] = []
  const open = [...root.inputs]
  for (let term = open.pop(); term !== undefined; term = open.pop()) {
    if (!sameShape(term.shape, output(root).shape)) return undefined
    const alone = uses.count(term) === 1
    if (alone && term.node.op.name === 'add') open.push(...term.node.inputs)
    else terms.push({ tensor: term, alone })
  }
  return terms
}
