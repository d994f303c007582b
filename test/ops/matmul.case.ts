// Matrix products in every combination of transposition, batch, bias and fused attribute.
import * as ops from '../../lib/ops/index.js'
import { at, fill, type NDArray } from '../support/ndarray.js'
import { accumulation, apply, input, type OpCase, opCase, type Refusal, type Sample } from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { activated } from './activated.js'

type MatmulAttrs = {
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly activation: string
  readonly sumA: boolean
}

/** The element at a row and column of the last two axes, after transposition. */
function entry(x: NDArray, batch: readonly number[], row: number, column: number, transposed: boolean): number {
  const matrix = transposed ? [column, row] : [row, column]
  return at(x, ...(x.shape.length === 2 ? matrix : [...batch, ...matrix]))
}

function reference([a, b, bias]: readonly NDArray[], attrs: MatmulAttrs, shape: readonly number[]): NDArray {
  const k = a!.shape.at(attrs.transposeA ? -2 : -1)!
  return fill(shape, (index) => {
    const [batch, row, column] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!]
    let sum = bias === undefined ? 0 : at(bias, column)
    for (let i = 0; i < k; i++) {
      sum += entry(a!, batch, row, i, attrs.transposeA) * entry(b!, batch, i, column, attrs.transposeB)
    }
    return activated(attrs.activation, sum)
  })
}

const plain = { transposeA: false, transposeB: false, activation: 'none', dtype: 'f32', sumA: false }
const draw = uniform()

interface Given {
  readonly attrs?: Partial<typeof plain>
  readonly bias?: number
  readonly noGradient?: string
}

/** An f32 result, so that products of bf16 operands are seen without a rounding. */
function sample(name: string, a: number[], b: number[], output: number[], given: Given = {}): Sample {
  const bias = given.bias === undefined ? [] : [input('f32', [given.bias], draw)]
  return {
    name,
    inputs: [input('float', a, draw), input('float', b, draw), ...bias],
    build: apply('matmul', { ...plain, ...given.attrs }),
    outputs: [`f32[${output.join(', ')}]`, ...(given.attrs?.sumA ? [`f32[${output[0]!}]`] : [])],
    ...(given.noGradient === undefined ? {} : { noGradient: given.noGradient }),
  }
}

const fused = 'made by the fusion pass, after differentiation'

/** A result of the operands' own dtype. */
const own: Sample = {
  ...sample('a result of the dtype of the operands', [6, 4], [4, 5], [6, 5]),
  build: apply('matmul', (a) => ({ ...plain, dtype: a.dtype })),
  outputs: ['float[6, 5]'],
}

const transpositions = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) => {
    const attrs = { transposeA, transposeB }
    const label = `${transposeA ? 'A^T' : 'A'} ${transposeB ? 'B^T' : 'B'}`
    const [a, b] = [transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5]]
    return [
      sample(label, a, b, [3, 5], { attrs }),
      sample(`${label}, batched`, [2, ...a], [2, ...b], [2, 3, 5], { attrs }),
      sample(`${label}, shared B`, [2, 2, ...a], b, [2, 2, 3, 5], { attrs }),
    ]
  }),
)

const activations = ['relu', 'tanh', 'sigmoid'].map((activation) =>
  sample(`bias and ${activation}`, [3, 4], [4, 5], [3, 5], { attrs: { activation }, bias: 5, noGradient: fused }),
)

const types = (...shapes: number[][]): Refusal['inputs'] => shapes.map((shape) => ({ dtype: 'f32', shape }))
const refuses = (inputs: Refusal['inputs'], message: RegExp, attrs: Partial<typeof plain> = {}): Refusal => ({
  inputs,
  build: apply('matmul', { ...plain, ...attrs }),
  message,
})

export const matmulCases: readonly OpCase[] = [
  opCase<MatmulAttrs>({
    name: 'matmul',
    reference: (inputs, attrs, outputs) => {
      const product = reference(inputs, attrs, outputs[0]!.shape)
      if (!attrs.sumA) return [product]
      const ones = fill([inputs[1]!.shape[attrs.transposeB ? 1 : 0]!, 1], () => 1)
      const sums = reference([inputs[0]!, ones], { ...attrs, transposeB: false }, [product.shape[0]!, 1])
      return [product, { shape: [product.shape[0]!], data: sums.data }]
    },
    samples: [
      ...transpositions,
      own,
      sample('bias', [3, 4], [4, 5], [3, 5], { bias: 5 }),
      sample('bias over a batch', [2, 3, 4], [5, 4], [2, 3, 5], { attrs: { transposeB: true }, bias: 5 }),
      ...activations,
      sample('with sums of A^T', [4, 3], [4, 5], [3, 5], {
        attrs: { sumA: true, transposeA: true },
        noGradient: fused,
      }),
      sample('larger than a block', [33, 70], [70, 65], [33, 65], { noGradient: 'the shapes above are enough' }),
    ],
    refusals: [
      refuses(
        types([2, 3], [4, 5]),
        /expected b with 3 rows to contract with the columns of \[2, 3\], got 4 in \[4, 5\]/,
      ),
      refuses(types([2, 3, 4], [5, 4, 6]), /expected b with 2 axes or batch \[2\], got f32\[5, 4, 6\]/),
      refuses(types([3, 4], [2, 4, 6]), /expected b with 2 axes or batch \[\]/),
      refuses(types([4], [4, 6]), /expected a with at least 2 axes, got \[4\]/),
      refuses(types([2, 3], [3, 5], [4]), /expected a bias of shape \[5\], got \[4\]/),
      refuses(types([2, 3], [3, 5], [5]), /expected no bias with sumA, got one/, { sumA: true }),
      refuses(types([2, 3], [3, 5]), /expected A\^T B without activation with sumA, got another product/, {
        sumA: true,
      }),
      refuses(types([2, 3], [3, 5]), /expected an activation of none, relu, tanh, sigmoid, got gelu/, {
        activation: 'gelu',
      }),
      refuses([...types([2, 3]), { dtype: 'bf16', shape: [3, 5] }], /expected a and b of one dtype, got f32 and bf16/),
    ],
    tolerance: accumulation,
  }),
  {
    name: 'matmul with bias and activation',
    samples: [
      {
        name: 'a layer',
        inputs: [input('float', [3, 4], draw), input('float', [5, 4], draw), input('f32', [5], draw)],
        build: (x, w, bias) => ops.matmul(x, w, { transposeB: true, bias: bias as never, activation: 'tanh' }),
        outputs: ['float[3, 5]'],
        value: (x, w, bias) =>
          reference([x, w, bias] as NDArray[], { ...plain, transposeB: true, activation: 'tanh' }, [3, 5]),
      },
    ],
    refusals: [],
    tolerance: { ...accumulation, bf16: 2 ** -7 },
  },
]
