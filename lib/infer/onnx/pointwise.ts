// Ops over single elements as ONNX operators. Conditions are u8 here and booleans there; arithmetic and comparisons of u8 are done in i32,
// as few runtimes have them.
import type { Converter } from './converter.js'
import { type Emitter, typeOf } from './emitter.js'

/** Operators of one name and meaning. */
const same: Readonly<Record<string, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  sign: 'Sign',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  relu: 'Relu',
  erf: 'Erf',
  softplus: 'Softplus',
  floor: 'Floor',
  cos: 'Cos',
  sin: 'Sin',
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
}

const ofBytes =
  (name: string): Converter =>
  ({ emitter, node, inputs }) => {
    if (node.inputs[0]?.dtype !== 'u8') return [emitter.op(name, inputs)]
    const wide = inputs.map((input) => emitter.cast(input, 'i32'))
    return [emitter.cast(emitter.op(name, wide), 'u8')]
  }

const comparison =
  (name: string): Converter =>
  ({ emitter, node, inputs }) => {
    const wide = node.inputs[0]?.dtype === 'u8' ? inputs.map((input) => emitter.cast(input, 'i32')) : inputs
    return [emitter.cast(emitter.op(name, wide), 'u8')]
  }

/** x times half of (1 + gate). */
const halfGated = (emitter: Emitter, x: string, gate: string): string =>
  emitter.op('Mul', [emitter.op('Mul', [x, emitter.scalar(0.5)]), emitter.op('Add', [gate, emitter.scalar(1)])])

export const pointwise: Readonly<Record<string, Converter>> = {
  ...Object.fromEntries(
    Object.entries(same).map(([op, name]): [string, Converter] => [
      op,
      ({ emitter, inputs }) => [emitter.op(name, inputs)],
    ]),
  ),
  maximum: ofBytes('Max'),
  minimum: ofBytes('Min'),
  equal: comparison('Equal'),
  less: comparison('Less'),
  lessEqual: comparison('LessOrEqual'),
  expm1: ({ emitter, inputs }) => [emitter.op('Sub', [emitter.op('Exp', inputs), emitter.scalar(1)])],
  rsqrt: ({ emitter, inputs }) => [emitter.op('Reciprocal', [emitter.op('Sqrt', inputs)])],
  silu: ({ emitter, inputs: [x = ''] }) => [emitter.op('Mul', [x, emitter.op('Sigmoid', [x])])],
  gelu: ({ emitter, inputs: [x = ''] }) => {
    const gate = emitter.op('Erf', [emitter.op('Mul', [x, emitter.scalar(Math.SQRT1_2)])])
    return [halfGated(emitter, x, gate)]
  },
  geluTanh: ({ emitter, inputs: [x = ''] }) => {
    const cube = emitter.op('Mul', [emitter.op('Mul', [x, x]), x])
    const sum = emitter.op('Add', [x, emitter.op('Mul', [cube, emitter.scalar(0.044715)])])
    const gate = emitter.op('Tanh', [emitter.op('Mul', [sum, emitter.scalar(Math.sqrt(2 / Math.PI))])])
    return [halfGated(emitter, x, gate)]
  },
  cast: ({ emitter, node, inputs: [x = ''] }) => [emitter.cast(x, typeOf(node.outputs[0]!.dtype))],
  where: ({ emitter, inputs: [condition = '', a = '', b = ''] }) => [
    emitter.op('Where', [emitter.cast(condition, 'bool'), a, b]),
  ],
}
