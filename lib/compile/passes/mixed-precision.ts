// f32 graph -> bf16 activations and weight copies. Products (matmul, convolutions and their gradients, recurrent ops) read
// bf16; their results, and everything that only passes activations on, are bf16. Statistics, losses, reductions and parameter updates
// stay f32. Which an op is, its trait `inBf16` says.
import { type Attrs, constantOp, type Graph, makeNode, type Node, type Tensor } from '../../graph/index.js'
import { rounded } from '../evaluate.js'
import { isLiteral } from '../groups.js'
import { opNamed, output, rewrite, type Rewriter, type Uses, usesOf, widened } from '../rewrite.js'
import { dce } from './dce.js'
import { marksF32, marksGradient } from './markers.js'

const inBf16 = ({ op }: Node) => (op.kind === 'pointwise' || op.kind === 'kernel' ? op.inBf16 : 'f32')

/** How many of its inputs, from the first, a product or a recurrent op reads in bf16; undefined for all others, and where one is to stay f32. */
function narrowed(node: Node): number | undefined {
  const trait = inBf16(node)
  if (node.inputs.some((tensor) => marksF32(tensor.node))) return undefined
  return typeof trait === 'number' ? trait : undefined
}

/** Which of its inputs an op hands on as activations; undefined for ops that hand none on. */
function handedOn(node: Node): readonly number[] | undefined {
  const trait = inBf16(node)
  if (trait === 'follows') return [...node.inputs.keys()]
  return typeof trait === 'object' ? trait.follows : undefined
}

/** Tensors that each reader takes in bf16, directly or through followers. */
function wantedInBf16(graph: Graph, uses: Uses): Set<Tensor> {
  const wanted = new Set<Tensor>()
  const takes = (reader: Node, tensor: Tensor): boolean => {
    const all = (takesIt: (i: number) => boolean) => reader.inputs.every((other, i) => other !== tensor || takesIt(i))
    const own = handedOn(reader)
    if (own) return wanted.has(output(reader)) && all((i) => own.includes(i))
    const count = narrowed(reader)
    return count !== undefined && all((i) => i < count)
  }
  for (const node of graph.nodes.toReversed()) {
    for (const tensor of node.outputs) {
      const readers = uses.readers(tensor)
      const all = readers.length > 0 && readers.every((reader) => takes(reader, tensor))
      if (tensor.dtype === 'f32' && all && !uses.leaves(tensor)) wanted.add(tensor)
    }
  }
  return wanted
}

/**
 * Tensors that nothing reads but the mark of a parameter's gradient, through ops that hand values on: gradients of weights. They stay
 * bf16 out of the product, because they then lie in memory as the bf16 weights do; the update widens them.
 */
function weightGradients(graph: Graph, uses: Uses): Set<Tensor> {
  const gradients = new Set<Tensor>()
  const passes = (reader: Node): boolean =>
    marksGradient(reader) ||
    ((reader.op.kind === 'pointwise' || handedOn(reader) !== undefined) && gradients.has(output(reader)))
  for (const tensor of graph.nodes.toReversed().flatMap((node) => node.outputs)) {
    const readers = uses.readers(tensor)
    if (readers.length > 0 && readers.every(passes) && !uses.leaves(tensor)) gradients.add(tensor)
  }
  return gradients
}

class Precision {
  readonly #uses: Uses
  readonly #wanted: Set<Tensor>
  readonly #gradients: Set<Tensor>
  /** Sparse tables: a copy in bf16 would cost by the table at each update, so that rows are read in f32 and narrowed. */
  readonly #tables: Set<Tensor>
  /** The bf16 copy of each f32 tensor of the new graph. */
  readonly #copies = new Map<Tensor, Tensor>()

  constructor(graph: Graph) {
    this.#uses = usesOf(graph)
    this.#wanted = wantedInBf16(graph, this.#uses)
    this.#gradients = weightGradients(graph, this.#uses)
    this.#tables = new Set(graph.states.filter(({ variable }) => variable.sparse).map(({ tensor }) => tensor))
  }

  visit(node: Node, old: Node, rewriter: Rewriter): readonly Tensor[] | undefined {
    const count = narrowed(node)
    if (count !== undefined) return this.#product(node, old, count, rewriter)
    const own = handedOn(node)
    return own && this.#follows(node, old, own) ? this.#lower(node, node.attrs, own, rewriter) : undefined
  }

  /** Its readers want f32 alone (logits for a loss), and it is no weight gradient: the product writes f32 at once. */
  #staysF32(tensor: Tensor): boolean {
    const lowers = (reader: Node) => narrowed(reader) !== undefined || handedOn(reader) !== undefined
    return !this.#gradients.has(tensor) && !this.#uses.readers(tensor).some(lowers)
  }

  /** Over bf16 copies of its first `count` inputs; the others (a bias, sums over all steps such as c) stay f32. */
  #product(node: Node, old: Node, count: number, rewriter: Rewriter): readonly Tensor[] | undefined {
    const given = [output(node), ...node.inputs.slice(0, count)]
    if (given.some((tensor) => tensor.dtype !== 'f32')) return undefined
    const dtype = this.#staysF32(output(old)) ? 'f32' : 'bf16'
    const attrs = 'dtype' in node.op.attributes ? { ...node.attrs, dtype } : node.attrs
    return this.#lower(node, attrs, [...node.inputs.keys()].slice(0, count), rewriter)
  }

  #follows(node: Node, old: Node, own: readonly number[]): boolean {
    if (output(node).dtype !== 'f32') return false
    const floats = node.inputs.filter((tensor, i) => tensor.dtype === 'f32' && own.includes(i))
    if (floats.length > 0 && floats.every((tensor) => this.#tables.has(tensor))) return false
    if (this.#wanted.has(output(old))) return true
    if (node.op.kind === 'pointwise' && this.#gradients.has(output(old))) return false
    return floats.some((tensor) => widened(tensor)) && floats.every((tensor) => widened(tensor) ?? isLiteral(tensor))
  }

  /** The node over bf16 copies of these of its inputs; bf16 results are widened for whoever reads them in f32. */
  #lower(node: Node, attrs: Attrs, own: readonly number[], rewriter: Rewriter): readonly Tensor[] {
    const inputs = node.inputs.map((tensor, i) =>
      own.includes(i) && tensor.dtype === 'f32' ? this.#narrow(tensor, rewriter) : tensor,
    )
    const lowered = rewriter.emit(node.op, inputs, attrs, node)
    return lowered.outputs.map((tensor, i) => {
      if (tensor.dtype === output(node, i).dtype) return tensor
      return output(rewriter.emit(opNamed('cast'), [tensor], { dtype: 'f32' }, node))
    })
  }

  #narrow(tensor: Tensor, rewriter: Rewriter): Tensor {
    const known = widened(tensor) ?? this.#copies.get(tensor)
    if (known !== undefined) return known
    const copy =
      narrowConstant(tensor) ?? output(rewriter.emit(opNamed('cast'), [tensor], { dtype: 'bf16' }, tensor.node))
    this.#copies.set(tensor, copy)
    return copy
  }
}

function narrowConstant(tensor: Tensor): Tensor | undefined {
  if (!isLiteral(tensor)) return undefined
  const data = (tensor.node.attrs['data'] as readonly number[]).map((value) => rounded('bf16', value) ?? value)
  return output(makeNode(constantOp, [], { dtype: 'bf16', shape: [...tensor.shape], data }, tensor.node))
}

export function mixedPrecision(graph: Graph): Graph {
  const precision = new Precision(graph)
  return dce(rewrite(graph, (node, old, rewriter) => precision.visit(node, old, rewriter)))
}
