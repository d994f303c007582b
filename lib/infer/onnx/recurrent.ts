// Recurrent ops as ONNX's LSTM, GRU and RNN. Here the product with the input is an op of its own; there it is the node's: it is taken back
// in where the gates are such a product, and else the node multiplies them by the identity.
import type { Node, Tensor } from '../../graph/index.js'
import type { Conversion, Converter } from './converter.js'
import { type Extent, refused } from './extents.js'

interface Kind {
  readonly op: 'LSTM' | 'GRU' | 'RNN'
  /** For each gate of ONNX its place here: i, o, f, c of i, f, g, o; z, r, h of r, z, n. */
  readonly order: readonly number[]
}

/** x [T, N, D], W [G, D] and a bias [G] of which gates [T, N, G] were made: `reshape(matmul(reshape(x), W^T) + b)`. */
function projection(
  gates: Tensor,
): { readonly x: Tensor; readonly w: Tensor; readonly bias: Tensor | undefined } | undefined {
  const product = gates.node.op.name === 'reshape' ? gates.node.inputs[0]!.node : undefined
  if (product?.op.name !== 'matmul' || product.attrs['transposeB'] !== true || product.attrs['transposeA'] === true) {
    return undefined
  }
  const [rows, w, bias] = product.inputs
  const x = rows!.node.op.name === 'reshape' ? rows!.node.inputs[0]! : undefined
  const fits = x?.rank === 3 && gates.shape.slice(0, 2).every((extent, axis) => extent === x.shape[axis])
  return fits ? { x, w: w!, bias } : undefined
}

/** Rows of these gates [G * H, ...], in ONNX's order, with an axis for the direction before them. */
function ordered({ emitter }: Conversion, rows: string, { order }: Kind, units: number): string {
  const places = order.flatMap((gate) => Array.from({ length: units }, (_, unit) => gate * units + unit))
  const index = emitter.constant('i32', [places.length], places)
  const chosen = order.length === 1 ? rows : emitter.op('Gather', [rows, index], { axis: { int: 0 } })
  return emitter.op('Unsqueeze', [chosen, emitter.ints([0])])
}

/** How many steps each stream has, i32 [N], where a mask was made of that (`ops.sequenceMask`). */
function lengthsOf({ emitter }: Conversion, mask: Tensor): string | undefined {
  const steps = mask.node.inputs[0]?.node.attrs['data']
  const counts = Array.isArray(steps) && steps.every((step, t) => step === t)
  if (mask.node.op.name !== 'less' || !counts) return undefined
  const wide = emitter.cast(emitter.nameOf(mask), 'i32')
  return emitter.op('ReduceSum', [wide, emitter.ints([0])], { keepdims: { int: 0 } })
}

interface Given {
  readonly states: readonly Tensor[]
  readonly mask: Tensor | undefined
  /** Beside the recurrent product. */
  readonly inner: string | undefined
  readonly attributes: Readonly<Record<string, { readonly int: number } | { readonly texts: readonly string[] }>>
}

interface Sequence {
  /** [T, N, H] */
  readonly h: string
  /** The last state of the cell, [1, N, H]. */
  readonly lastCell: string
}

function sequence(conversion: Conversion, kind: Kind, given: Given): Sequence {
  const { emitter, node } = conversion
  const { x, weights } = operands(conversion, kind, given.inner)
  const first = given.states.map((state) => emitter.op('Unsqueeze', [emitter.nameOf(state), emitter.ints([0])]))
  const reverse = node.attrs['reverse'] === true
  const run: Run = (steps, lengths, states, direction) => {
    const attributes = {
      hidden_size: { int: node.inputs[1]!.shape[0]! },
      direction: { text: direction },
      ...given.attributes,
    }
    return emitter.ops(kind.op, [steps, ...weights, lengths, ...states], attributes, states.length + 1)
  }
  const { mask } = given
  const lengths = mask === undefined ? '' : lengthsOf(conversion, mask)
  const there = mask && emitter.op('Unsqueeze', [emitter.cast(emitter.nameOf(mask), 'bool'), emitter.ints([2])])
  if (lengths === undefined) return stepByStep(conversion, { x, there: there!, first, reverse, run })
  const [y = '', last = '', lastCell = ''] = run(x, lengths, first, reverse ? 'reverse' : 'forward')
  const h = emitter.op('Squeeze', [y, emitter.ints([1])])
  // Beyond its end ONNX gives zeros, where here a stream keeps its state.
  return { h: there === undefined ? h : emitter.op('Where', [there, h, reverse ? first[0]! : last]), lastCell }
}

/** ONNX's operator over some steps: all of its states, and those after the last step. */
type Run = (steps: string, lengths: string, states: readonly string[], direction: string) => readonly string[]

interface Steps {
  readonly x: string
  /** Which steps there are, [T, N, 1]. */
  readonly there: string
  readonly first: readonly string[]
  readonly reverse: boolean
  readonly run: Run
}

/** Any step of a stream may be missing: ONNX knows lengths alone, and so each step is a node. */
function stepByStep({ emitter, node }: Conversion, { x, there, first, reverse, run }: Steps): Sequence {
  const [{ shape }] = node.outputs as readonly [Tensor]
  const order = Array.from({ length: shape[0]! }, (_, t) => t)
  if (reverse) order.reverse()
  const at = (all: string, t: number) => emitter.op('Slice', [all, ...[[t], [t + 1], [0]].map((v) => emitter.ints(v))])
  let states = first
  const h: string[] = []
  for (const t of order) {
    const isThere = at(there, t)
    const [, ...after] = run(at(x, t), '', states, 'forward')
    states = states.map((before, i) => emitter.op('Where', [isThere, after[i]!, before]))
    h[t] = states[0]!
  }
  return { h: h.length === 1 ? h[0]! : emitter.op('Concat', h, { axis: { int: 0 } }), lastCell: states[1] ?? '' }
}

/** The input, and W, R and B as ONNX has them. */
function operands(conversion: Conversion, kind: Kind, inner: string | undefined) {
  const { emitter, node, inputs } = conversion
  const [gates, u] = node.inputs as readonly [Tensor, Tensor]
  const [units = 1, width = 1] = u.shape
  const found = projection(gates)
  const identity = () => {
    const ones = new Float32Array(width * width)
    for (let i = 0; i < width; i++) ones[i * width + i] = 1
    return emitter.tensor(`${node.path}/${kind.op}/identity`, 'f32', [width, width], ones)
  }
  const w = ordered(conversion, found ? emitter.nameOf(found.w) : identity(), kind, units)
  const turned = emitter.op('Transpose', [inputs[1]!], { perm: { ints: [1, 0] } })
  const zeros = () => emitter.op('Expand', [emitter.scalar(0), emitter.ints([width])])
  const outer = found?.bias ? emitter.nameOf(found.bias) : zeros()
  const biases = [outer, inner ?? zeros()].map((bias) => ordered(conversion, bias, kind, units))
  const b = emitter.op('Concat', biases, { axis: { int: 1 } })
  return { x: found ? emitter.nameOf(found.x) : inputs[0]!, weights: [w, ordered(conversion, turned, kind, units), b] }
}

/** The cells after the last step are all that ONNX gives: a slice of them alone may be read. */
export const CELLS = 'cells of'

/** A slice of an LSTM's cells, where it is the last step: its name; undefined for any other tensor. */
export function lastCells(
  name: string,
  node: Node,
  start: readonly Extent[],
  size: readonly Extent[],
): string | undefined {
  if (!name.startsWith(CELLS)) return undefined
  const cells = node.inputs[0]!
  const last = cells.node.attrs['reverse'] === true ? 0 : cells.shape[0]! - 1
  const whole = size.slice(1).every((extent, i) => extent.per !== 0 || extent.plus === cells.shape[i + 1])
  if (start[0]?.plus !== last || size[0]?.plus !== 1 || !whole) {
    throw refused(node, 'the cells of an LSTM after its last step, got others, which ONNX does not give')
  }
  return name.slice(CELLS.length)
}

export const recurrent: Readonly<Record<string, Converter>> = {
  lstm: (conversion) => {
    const [, , h0, c0, mask] = conversion.node.inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const kind = { op: 'LSTM', order: [0, 3, 1, 2] } as const
    const { h, lastCell } = sequence(conversion, kind, { states: [h0, c0], mask, inner: undefined, attributes: {} })
    return [h, `${CELLS}${lastCell}`]
  },
  gru: (conversion) => {
    const [, , h0, , mask] = conversion.node.inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const kind = { op: 'GRU', order: [1, 0, 2] } as const
    const attributes = { linear_before_reset: { int: 1 } }
    return [sequence(conversion, kind, { states: [h0], mask, inner: conversion.inputs[3], attributes }).h]
  },
  rnn: (conversion) => {
    const [, , h0, mask] = conversion.node.inputs as readonly [Tensor, Tensor, Tensor, Tensor?]
    const attributes = { activations: { texts: [conversion.node.attrs['activation'] === 'relu' ? 'Relu' : 'Tanh'] } }
    return [sequence(conversion, { op: 'RNN', order: [0] }, { states: [h0], mask, inner: undefined, attributes }).h]
  },
}
