// The spectrum of a frame as one product with a fixed matrix. All that is done to a frame before is linear (its mean taken away,
// pre-emphasis, the window), so the matrix has that too.
import { constant, read, type Shape, type Tensor, Variable } from '../../graph/index.js'
import { keepF32 } from '../../ops/marker.js'
import {
  add,
  cast,
  div,
  floor,
  gather,
  matmul,
  mean,
  mul,
  pad,
  reshape,
  slice,
  sub,
  transpose,
} from '../../ops/index.js'

/** What becomes of a frame. */
export interface FourierSpec {
  /** Of each sample; the scale of samples is in it. */
  readonly window: readonly number[]
  readonly points: number
  /** Each sample less so much of the one before it; the first one less so much of itself. */
  readonly preEmphasis: number
  readonly removeMean: boolean
}

/** Numbers from 0 to `count` - 1. */
function range(shape: Shape, count: number): Tensor<'i32'> {
  return constant(
    'i32',
    shape,
    Array.from({ length: count }, (_, i) => i),
  )
}

/** cos and sin of 2 pi n k / points, [samples, 2, bins]: read from a table of one turn, which is exact to a rounding. */
function waves(samples: number, points: number, bins: number): Tensor<'f32'> {
  const product = cast(mul<'i32', Shape, Shape>(range([samples, 1], samples), range([1, bins], bins)), 'f32')
  const turns = floor(div(add(product, 0.5), points))
  const place = cast(sub<'f32', Shape, Shape>(product, mul(turns, points)), 'i32')
  const angle = (i: number) => (2 * Math.PI * i) / points
  const turn = Array.from({ length: points }, (_, i) => [Math.cos(angle(i)), Math.sin(angle(i))]).flat()
  return transpose(gather(constant('f32', [points, 2], turn), place), [0, 2, 1])
}

/** The matrix [samples, 2 bins]: what each sample of a frame adds to the cosines, then to the sines. */
function matrix({ window, points, preEmphasis, removeMean }: FourierSpec): Tensor<'f32'> {
  const samples = window.length
  const bins = Math.floor(points / 2) + 1
  const column = (values: readonly number[]) => constant('f32', [samples, 1], values)
  const plain = reshape(waves(samples, points, bins), [samples, 2 * bins])
  const windowed: Tensor<'f32'> = mul<'f32', Shape, Shape>(plain, column(window))
  // y_n = x_n - c x_{n-1}, so that x_n counts at n, and -c times at n + 1.
  const own = mul<'f32', Shape, Shape>(windowed, column(window.map((_, n) => (n === 0 ? 1 - preEmphasis : 1))))
  const next = pad(slice(windowed, [1, 0], [samples - 1, 2 * bins]), [0, 0], [1, 0])
  const emphasised = preEmphasis === 0 ? windowed : sub<'f32', Shape, Shape>(own, mul(next, preEmphasis))
  return removeMean ? sub<'f32', Shape, Shape>(emphasised, mean(emphasised, 0, { keepDims: true })) : emphasised
}

/** The matrix as memory that all programs share: worked out once, and in no checkpoint. */
export function fourierMatrix(spec: FourierSpec): Variable<'f32'> {
  const shape: Shape = [spec.window.length, 2 * (Math.floor(spec.points / 2) + 1)]
  return new Variable<'f32'>({ label: 'fourier', dtype: 'f32', shape, role: 'scratch', init: () => matrix(spec) })
}

/** Cosine parts, then sine parts, of frames f32 [T, N, samples]: [T N, 2 bins], f32 in a program of bf16 too. */
export function fourier(frames: Tensor<'f32'>, variable: Variable<'f32'>): Tensor<'f32'> {
  const [steps = 1, rows = 1, samples = 1] = frames.shape
  return product(reshape(frames, [steps * rows, samples]), read(variable))
}

/** x w, f32 in a program of bf16 too. */
export function product(x: Tensor<'f32'>, w: Tensor<'f32'>): Tensor<'f32'> {
  return matmul<'f32', Shape, Shape>(keepF32(x), w)
}
