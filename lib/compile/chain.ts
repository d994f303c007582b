// The `pointwise` node: a straight program over elements (native/program/FORMAT.md, Chains). Only the compiler makes it.
import {
  type AttrValue,
  broadcastShapes,
  defineOp,
  type DType,
  dtypes,
  formatShape,
  notDifferentiable,
  ShapeError,
  type TensorType,
} from '../graph/index.js'

/** A register, or a literal. */
export type Operand = number | { readonly c: number }

/** Name, dtype of the result, operands. Instruction i writes register (number of inputs + i). */
export type Instruction = readonly [string, DType, ...Operand[]]

export interface ChainAttrs extends Readonly<Record<string, AttrValue>> {
  readonly chain: readonly Instruction[]
  /** Registers that become the node's outputs. */
  readonly outputs: readonly number[]
}

/** What every backend's chain kernel is built for. */
export const chainLimits = { instructions: 64, inputs: 24, outputs: 8 } as const

function atMost(what: string, limit: number, got: number): void {
  if (got < 1 || got > limit) throw new ShapeError(`expected 1 to ${limit} ${what}, got ${got}`)
}

/** Operands are earlier registers; returns the dtype of every register. */
function registerTypes(inputs: readonly TensorType[], chain: readonly Instruction[]): DType[] {
  const registers = inputs.map((input) => input.dtype)
  for (const [name, dtype, ...operands] of chain) {
    if (!dtypes.includes(dtype)) throw new ShapeError(`expected a dtype for ${name}, got ${JSON.stringify(dtype)}`)
    for (const operand of operands) {
      if (typeof operand === 'number' && registers[operand] === undefined) {
        throw new ShapeError(`expected ${name} to read a register below ${registers.length}, got ${operand}`)
      }
    }
    registers.push(dtype)
  }
  return registers
}

export const pointwiseOp = defineOp<ChainAttrs>({
  name: 'pointwise',
  kind: 'kernel',
  attributes: { chain: 'json', outputs: 'ints' },
  infer: (inputs, attrs) => {
    atMost('inputs', chainLimits.inputs, inputs.length)
    atMost('instructions', chainLimits.instructions, attrs.chain.length)
    atMost('outputs', chainLimits.outputs, attrs.outputs.length)
    const shape = broadcastShapes(...inputs.map((input) => input.shape))
    if (shape === undefined) {
      throw new ShapeError(
        `expected shapes that broadcast, got ${inputs.map((input) => formatShape(input.shape)).join(', ')}`,
      )
    }
    const registers = registerTypes(inputs, attrs.chain)
    return attrs.outputs.map((register) => {
      const dtype = registers[register]
      if (dtype === undefined)
        throw new ShapeError(`expected an output register below ${registers.length}, got ${register}`)
      return { dtype, shape }
    })
  },
  vjp: notDifferentiable('chains are made after differentiation'),
})
