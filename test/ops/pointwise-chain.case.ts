// The fused chain: one instruction after another, several outputs, literals. It is made after differentiation.
import { count, type DType } from '../../lib/graph/index.js'
import type { ChainInstruction } from '../../lib/ops/pointwise-chain.js'
import { broadcastAt, fill, type NDArray } from '../support/ndarray.js'
import { apply, input, type OpCase, opCase, type Refusal, rounding } from '../support/op-case.js'
import { integers, uniform } from '../support/random.js'
import { formulaOf } from './formulas.js'

type ChainAttrs = { readonly chain: readonly ChainInstruction[]; readonly outputs: readonly number[] }

/** All registers at one element. */
function run(chain: readonly ChainInstruction[], inputs: readonly NDArray[], index: readonly number[]): number[] {
  const registers = inputs.map((x) => broadcastAt(x, index))
  for (const [name, dtype, ...operands] of chain) {
    registers.push(formulaOf(name, dtype)(...operands.map((r) => (typeof r === 'number' ? registers[r]! : r.c))))
  }
  return registers
}

const chain = (instructions: readonly ChainInstruction[], ...outputs: readonly number[]) =>
  apply('pointwise', { chain: instructions, outputs })

/** x * 0.5 + y, its square, and whether it is above 1. */
const steps = (dtype: DType): ChainInstruction[] => [
  ['mul', dtype, 0, { c: 0.5 }],
  ['add', dtype, 2, 1],
  ['mul', dtype, 3, 3],
  ['less', 'u8', { c: 1 }, 3],
]

const fused = 'made by the fusion pass, after differentiation'

const xy: Refusal['inputs'] = [
  { dtype: 'f32', shape: [2, 3] },
  { dtype: 'f32', shape: [3] },
]
const refuses = (build: Refusal['build'], message: RegExp): Refusal => ({ inputs: xy, build, message })

export const chainCases: readonly OpCase[] = [
  opCase<ChainAttrs>({
    name: 'pointwise',
    reference: (inputs, attrs, outputs) => {
      const { shape } = outputs[0]!
      const results = attrs.outputs.map(() => ({ shape, data: new Float64Array(count(shape)) }))
      let element = 0
      fill(shape, (index) => {
        const registers = run(attrs.chain, inputs, index)
        attrs.outputs.forEach((register, i) => {
          results[i]!.data[element] = registers[register]!
        })
        element++
        return 0
      })
      return results
    },
    samples: [
      {
        name: 'three outputs of a broadcast chain',
        inputs: [input('f32', [2, 3], uniform(-2, 2)), input('f32', [3], uniform(-2, 2))],
        build: chain(steps('f32'), 3, 4, 5),
        outputs: ['f32[2, 3]', 'f32[2, 3]', 'u8[2, 3]'],
        noGradient: fused,
      },
      {
        name: 'integers, a condition, a cast',
        inputs: [input('i32', [4], integers(-9, 10)), input('i32', [], integers(1, 5))],
        build: chain(
          [
            ['less', 'u8', 0, 1],
            ['where', 'i32', 2, 0, { c: 7 }],
            ['cast', 'f32', 3],
            ['exp', 'f32', 4],
          ],
          3,
          5,
        ),
        outputs: ['i32[4]', 'f32[4]'],
        noGradient: fused,
      },
    ],
    refusals: [
      refuses(chain([], 0), /expected 1 to 64 instructions, got 0/),
      refuses(chain([['tanh', 'f32', 9]], 2), /expected a register below 2, got 9/),
      refuses(chain([['sum', 'f32', 0]], 2), /expected a pointwise op, got sum/),
      refuses(chain([['add', 'bf16', 0, 1]], 2), /expected add to give f32, got bf16/),
      refuses(chain([['add', 'f32', 0, 1]], 3), /expected an output register below 3, got 3/),
      refuses(chain([['add', 'f32', 0]], 2), /expected 2 inputs, got 1/),
    ],
    tolerance: rounding,
    noGolden: 'the formulas are those of the single ops',
  }),
]
