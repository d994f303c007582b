// Pointwise ops on constants: evaluated in float64, rounded once to the result's dtype, as every kernel means it. What has no such value
// (it is infinite, or no integer) stays in the graph.
import {
  broadcastShapes,
  count,
  type DType,
  GraphError,
  isFloat,
  type PointwiseTraits,
  sameShape,
  strides,
  type Tensor,
} from '../graph/index.js'

const word = new DataView(new ArrayBuffer(4))

/** Rounds to bfloat16, to nearest even. */
function roundToBf16(x: number): number {
  word.setFloat32(0, x)
  const bits = word.getUint32(0)
  word.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000)
  return word.getFloat32(0)
}

/** The nearest value of a dtype; undefined where it has none (infinite, or an integer out of range or with a fraction). */
export function rounded(dtype: DType, x: number): number | undefined {
  if (dtype === 'u8') return Number.isInteger(x) && x >= 0 && x <= 255 ? x : undefined
  if (dtype === 'i32') return Number.isInteger(x) && x === (x | 0) ? x : undefined
  const value = dtype === 'bf16' ? roundToBf16(Math.fround(x)) : Math.fround(x)
  return Number.isFinite(value) ? value : undefined
}

/**
 * Checks that the numbers of a constant are values of its dtype.
 * @throws GraphError naming the first that is not.
 */
export function checkConstant(tensor: Tensor): void {
  const wrong = dataOf(tensor).find((value) => rounded(tensor.dtype, value) === undefined)
  if (wrong === undefined) return
  const kind = isFloat(tensor.dtype) ? 'finite numbers' : 'integers in range'
  throw new GraphError(`constant[${tensor.node.path}]: expected ${kind} of ${tensor.dtype}, got ${wrong}`)
}

/** Largest constant that folding may write element by element. */
const largest = 4096

const dataOf = (tensor: Tensor): readonly number[] => tensor.node.attrs['data'] as readonly number[]

/** Where element `position` of a tensor of `shape` lies in an operand that broadcasts to it. */
function operandIndex(operand: Tensor, shape: readonly number[], position: number): number {
  if (dataOf(operand).length === 1) return 0
  const own = strides(operand.shape)
  let index = 0
  for (const [axis, step] of strides(shape).entries()) {
    const at = Math.floor(position / step) % (shape[axis] ?? 1)
    const i = axis - (shape.length - operand.shape.length)
    if (i >= 0 && operand.shape[i] !== 1) index += at * (own[i] ?? 0)
  }
  return index
}

/** Data of a pointwise op on constants; undefined when it should stay in the graph. */
export function evaluate(
  { formula }: PointwiseTraits,
  inputs: readonly Tensor[],
  result: Tensor,
): number[] | undefined {
  if (formula === undefined || !inputs.every((input) => input.node.op.name === 'constant')) return undefined
  const shape = broadcastShapes(...inputs.map((input) => input.shape))
  if (shape === undefined || !sameShape(shape, result.shape)) return undefined
  const n = inputs.every((input) => dataOf(input).length === 1) ? 1 : count(shape)
  if (n > largest) return undefined
  const data: number[] = []
  for (let i = 0; i < n; i++) {
    const operands = inputs.map((input) => {
      const operand = dataOf(input)[operandIndex(input, shape, i)] ?? NaN
      return rounded(input.dtype, operand) ?? NaN
    })
    const value = rounded(result.dtype, formula(...operands))
    if (value === undefined) return undefined
    data.push(value)
  }
  return data
}
