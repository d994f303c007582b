// The `pointwise` kernel: a chain of pointwise ops in one sweep over memory, made by the fusion pass. FORMAT.md, "Chains".
// Refuses chains that an interpreter of single ops would refuse, and those above the limits of the format.
import {
  type AttrValue,
  broadcastShapes,
  type DType,
  dtypes,
  formatShape,
  notDifferentiable,
  type Op,
  type TensorType,
} from '../graph/index.js'
import { expectThat, register, registry } from './define.js'

/** A register number, or a literal. */
export type ChainOperand = number | { readonly c: number }
/** `[op, dtype of the result, operand, ...]` */
export type ChainInstruction = readonly [string, DType, ...ChainOperand[]]

/** Limits of one chain, the same in native/program. */
export const chainLimits = { instructions: 64, inputs: 24, outputs: 8 } as const

function readInstruction(value: AttrValue): ChainInstruction {
  const got = () => JSON.stringify(value)
  expectThat(Array.isArray(value), 'an instruction [op, dtype, operand, ...]', got)
  const [name, dtype, ...operands] = value as readonly AttrValue[]
  const isOperand = (item: AttrValue) => typeof item === 'number' || typeof (item as { c?: AttrValue }).c === 'number'
  const good = typeof name === 'string' && dtypes.some((known) => known === dtype) && operands.every(isOperand)
  expectThat(good, 'an instruction [op, dtype, operand, ...]', got)
  return value as unknown as ChainInstruction
}

/** Types of the operands of one instruction; a literal takes the dtype of the tensor beside it, or of the result. */
function operandTypes([name, result, ...operands]: ChainInstruction, registers: readonly DType[]): TensorType[] {
  const known = operands.map((operand) => {
    if (typeof operand !== 'number') return undefined
    const dtype = registers[operand]
    expectThat(
      dtype !== undefined,
      () => `a register below ${registers.length}`,
      () => operand.toString(),
    )
    return dtype
  })
  const condition = name === 'where' ? 1 : 0
  const beside = known.slice(condition).find((dtype) => dtype !== undefined) ?? result
  return known.map((dtype, i) => ({ dtype: dtype ?? (i < condition ? 'u8' : beside), shape: [] }))
}

function checkInstruction(instruction: ChainInstruction, registers: readonly DType[]): void {
  const [name, dtype] = instruction
  const op: Op | undefined = registry.get(name)
  expectThat(op?.kind === 'pointwise', 'a pointwise op', name)
  // `cast` is the only pointwise op with an attribute: the dtype of its result.
  const [type] = op.infer(operandTypes(instruction, registers), name === 'cast' ? { dtype } : {})
  expectThat(type?.dtype === dtype, () => `${name} to give ${type?.dtype ?? 'a tensor'}`, dtype)
}

/** Inputs broadcast to one shape; every output has that shape. */
export const pointwiseOp = register<{ readonly chain: readonly AttrValue[]; readonly outputs: readonly number[] }>({
  name: 'pointwise',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { chain: 'json', outputs: 'ints' },
  infer: (inputs, { chain, outputs }) => {
    const { instructions, inputs: mostInputs, outputs: mostOutputs } = chainLimits
    const within = (n: number, most: number) => n >= 1 && n <= most
    expectThat(within(chain.length, instructions), `1 to ${instructions} instructions`, chain.length.toString())
    expectThat(inputs.length <= mostInputs, `at most ${mostInputs} inputs`, inputs.length.toString())
    expectThat(within(outputs.length, mostOutputs), `1 to ${mostOutputs} outputs`, outputs.length.toString())
    const shape = broadcastShapes(...inputs.map((input) => input.shape))
    const got = () => inputs.map((input) => formatShape(input.shape)).join(' and ')
    expectThat(shape !== undefined, 'extents that broadcast', got)
    const registers = inputs.map((input) => input.dtype)
    for (const value of chain) {
      const instruction = readInstruction(value)
      checkInstruction(instruction, registers)
      registers.push(instruction[1])
    }
    return outputs.map((register) => {
      const dtype = registers[register]
      expectThat(
        dtype !== undefined,
        () => `an output register below ${registers.length}`,
        () => register.toString(),
      )
      return { dtype, shape }
    })
  },
  vjp: notDifferentiable('made by the fusion pass, after differentiation'),
})
