// Computes what is known when compiling, and drops ops that change nothing. Keeps `x * 0`: it is NaN where x is infinite.
import {
  broadcastShapes,
  constantOp,
  type Graph,
  makeNode,
  type Node,
  sameShape,
  type Tensor,
} from '../../graph/index.js'
import { evaluate } from '../evaluate.js'
import { isLiteral } from '../groups.js'
import { input, opNamed, output, rewrite, type Rewriter, widened } from '../rewrite.js'
import { dce } from './dce.js'

function constantLike(node: Node, data: readonly number[]): Tensor {
  const { dtype, shape } = output(node)
  return output(makeNode(constantOp, [], { dtype, shape: [...shape], data }, node))
}

const filledWith = (tensor: Tensor | undefined, value: number): boolean =>
  tensor !== undefined && isLiteral(tensor) && (tensor.node.attrs['data'] as readonly number[])[0] === value

/** `tensor` when it can stand for the node's output as it is. */
function same(node: Node, tensor: Tensor): Tensor | undefined {
  const { dtype, shape } = output(node)
  return tensor.dtype === dtype && sameShape(tensor.shape, shape) ? tensor : undefined
}

/** The operand of an op that gives it back where it has the extents of the result. */
const unchanged = (node: Node): Tensor | undefined => same(node, input(node, 0))

type Rule = (node: Node, rewriter: Rewriter) => Tensor | undefined

const neutralRight =
  (value: number): Rule =>
  (node) =>
    filledWith(node.inputs[1], value) ? same(node, input(node, 0)) : undefined

const neutral =
  (value: number): Rule =>
  (node, rewriter) =>
    neutralRight(value)(node, rewriter) ?? (filledWith(node.inputs[0], value) ? same(node, input(node, 1)) : undefined)

/** bf16 -> f32 -> bf16 loses nothing; the other way round it does. */
const cast: Rule = (node) => {
  const from = input(node, 0)
  const exact =
    from.node.op.name === 'cast' && from.dtype === 'f32' && ['bf16', 'u8'].includes(input(from.node, 0).dtype)
  return same(node, from) ?? (exact ? same(node, input(from.node, 0)) : undefined)
}

/** An op that computes in f32 itself reads what was widened for it as it was. */
function withoutWidening(node: Node, rewriter: Rewriter): Tensor | undefined {
  const from = widened(input(node, 0))
  return from && output(rewriter.emit(node.op, [from, ...node.inputs.slice(1)], node.attrs, node))
}

const reshape: Rule = (node, rewriter) => {
  let from = input(node, 0)
  while (from.node.op.name === 'reshape') from = input(from.node, 0)
  const unchanged = same(node, from)
  if (unchanged !== undefined || from === input(node, 0)) return unchanged
  return output(rewriter.emit(node.op, [from], node.attrs, node))
}

const transpose: Rule = (node, rewriter) => {
  const perm = node.attrs['perm'] as readonly number[]
  const from = input(node, 0)
  if (perm.every((axis, i) => axis === i)) return from
  if (from.node.op.name !== 'transpose') return undefined
  const inner = from.node.attrs['perm'] as readonly number[]
  const both = perm.map((axis) => inner[axis] ?? 0)
  if (both.every((axis, i) => axis === i)) return input(from.node, 0)
  return output(rewriter.emit(node.op, from.node.inputs, { perm: both }, node))
}

/** A known condition picks one side; a chain has no literal for a condition. */
const where: Rule = (node, rewriter) => {
  const condition = input(node, 0)
  if (!isLiteral(condition)) return undefined
  const chosen = input(node, filledWith(condition, 0) ? 2 : 1)
  const { shape } = output(node)
  return same(node, chosen) ?? output(rewriter.emit(opNamed('broadcastTo'), [chosen], { shape: [...shape] }, node))
}

const rules: Readonly<Record<string, Rule>> = {
  add: neutral(0),
  sub: neutralRight(0),
  mul: neutral(1),
  div: neutralRight(1),
  pow: neutralRight(1),
  neg: (node) => (input(node, 0).node.op.name === 'neg' ? input(input(node, 0).node, 0) : undefined),
  cast,
  reshape,
  transpose,
  where,
  broadcastTo: unchanged,
  pad: unchanged,
  slice: unchanged,
}

/** A pointwise op broadcasts by itself: it reads the small tensor where the result keeps its shape. */
function withoutBroadcasts(node: Node, rewriter: Rewriter): Tensor | undefined {
  const inputs = [...node.inputs]
  for (const [i, tensor] of inputs.entries()) {
    if (tensor.node.op.name !== 'broadcastTo') continue
    const shapes = inputs.map((other, j) => (j === i ? input(tensor.node, 0).shape : other.shape))
    const shape = broadcastShapes(...shapes)
    if (shape !== undefined && sameShape(shape, output(node).shape)) inputs[i] = input(tensor.node, 0)
  }
  if (inputs.every((tensor, i) => tensor === node.inputs[i])) return undefined
  return output(rewriter.emit(node.op, inputs, node.attrs, node))
}

function folded(node: Node, rewriter: Rewriter): Tensor | undefined {
  const { op, inputs } = node
  if (op.kind === 'pointwise') {
    const data = evaluate(op, inputs, output(node))
    if (data !== undefined) return constantLike(node, data)
  } else if (op.kind === 'kernel' && op.moves && isLiteral(input(node, 0))) {
    return constantLike(node, input(node, 0).node.attrs['data'] as readonly number[])
  }
  const simpler = rules[op.name]?.(node, rewriter)
  if (simpler !== undefined) return simpler
  if (op.kind === 'pointwise') return withoutBroadcasts(node, rewriter)
  return op.kind === 'kernel' && op.inBf16 === 'widens' ? withoutWidening(node, rewriter) : undefined
}

export function fold(graph: Graph): Graph {
  return dce(
    rewrite(graph, (node, _old, rewriter) => {
      const tensor = node.outputs.length === 1 ? folded(node, rewriter) : undefined
      return tensor === undefined ? undefined : [tensor]
    }),
  )
}
