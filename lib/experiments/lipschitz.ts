// Upper bounds on how much each layer of a network can stretch a difference: the operator norm of its linear part. Szegedy et al.
// 2013, "Intriguing properties of neural networks", section 4.3: fully connected layers by the largest singular value, convolutions
// by the largest over the frequencies of their Fourier transform, on a circle that holds the padded image. Biases do not matter, relu
// and sigmoid stretch nothing, nor does max pooling whose windows are apart; where they overlap, one change may come out of several.
import { count, feed, type Graph, Names, type Node, type Tensor, trace } from '../graph/index.js'

/** A layer and its bound. */
export interface LayerBound {
  readonly path: string
  readonly kind: 'convolution' | 'fully connected' | 'max pooling'
  /** Of the weights; of a pooling's windows. */
  readonly shape: readonly number[]
  readonly bound: number
}

/** A convolution: w [O, I / groups, KH, KW] on a circle of `side` pixels both ways. */
export interface Convolution {
  readonly w: ArrayLike<number>
  readonly shape: readonly number[]
  readonly stride: number
  readonly groups: number
  readonly side: number
}

/**
 * Bounds of all convolutions and products with trained weights and of overlapping max pooling, in the order in which they are called.
 * Singular values come from the power iteration, from below: to about 1e-6, or what 300 rounds give.
 * @param example extents of one input, without the batch
 * @param parameters values by path, as `session.parameters()` gives them
 * @throws Error for a layer with trained weights that is neither, such as a locally connected one, and for dilated kernels and oblong strides
 */
export function lipschitzBounds(
  net: (x: never) => Tensor,
  example: readonly number[],
  parameters: Readonly<Record<string, ArrayLike<number>>>,
): LayerBound[] {
  const apply = net as unknown as (x: Tensor) => Tensor
  const graph = trace({ name: 'lipschitz', names: new Names() }, () => ({
    y: apply(feed('x', 'f32', [1, ...example])),
  }))
  const bounded = new Set<string>()
  const bounds = graph.nodes.flatMap((node): LayerBound[] => {
    if (node.op.name === 'maxPool2d') return overlap(node)
    const path = weightOf(node, graph)
    const w = path === undefined ? undefined : parameters[path]
    const [x, weight] = node.inputs
    if (path === undefined || w === undefined || x === undefined || weight === undefined) return []
    bounded.add(path)
    const { shape } = weight
    const layer = { path: path.split('/').slice(0, -1).join('/'), shape }
    if (node.op.name === 'matmul') {
      return [{ ...layer, kind: 'fully connected' as const, bound: largestSingular(w, shape[0]!, shape[1]!) }]
    }
    const { stride, groups } = strideOf(node, layer.path)
    const padded = circle(node, x)
    const side = Math.ceil(padded / stride) * stride
    return [{ ...layer, kind: 'convolution' as const, bound: convolutionNorm({ w, shape, stride, groups, side }) }]
  })
  const other = graph.states.find(
    ({ name, tensor }) => tensor.shape.length > 1 && name in parameters && !bounded.has(name),
  )
  if (other === undefined) return bounds
  throw new Error(`lipschitz[${other.name}]: expected weights of convolutions and fully connected layers alone`)
}

/** An element is in as many windows as the root of which the pooling can stretch its change. */
function overlap({ attrs, path }: Node): LayerBound[] {
  const [kernel, stride] = [attrs['kernel'], attrs['stride']].map((value) => [value].flat() as number[])
  const windows = kernel!.map((extent, axis) => Math.ceil(extent / (stride![axis] ?? stride![0]!)))
  const bound = Math.sqrt(windows.reduce((product, number) => product * number))
  return bound > 1 ? [{ path, kind: 'max pooling', shape: kernel!, bound }] : []
}

/** Path of the trained weights of a convolution or a product; undefined for any other node. */
function weightOf({ op, inputs }: Node, { states }: Graph): string | undefined {
  if (op.name !== 'matmul' && op.name !== 'conv2d') return undefined
  return states.find(({ tensor }) => tensor === inputs[1])?.name
}

function strideOf({ attrs }: Node, path: string): { readonly stride: number; readonly groups: number } {
  const [first, second] = [attrs['stride']].flat() as number[]
  const dilation = [attrs['dilation'] ?? 1].flat() as number[]
  if (first === undefined || (second ?? first) !== first || dilation.some((one) => one !== 1)) {
    throw new Error(`lipschitz[${path}]: expected one stride and no dilation, got ${JSON.stringify(attrs)}`)
  }
  return { stride: first, groups: Number(attrs['groups'] ?? 1) }
}

/** Pixels on a side of the image with its padding. */
function circle({ attrs }: Node, { shape }: Tensor): number {
  const [top = 0, left = top, bottom = top, right = left] = [attrs['padding'] ?? 0].flat() as number[]
  return Math.max((shape[2] ?? 1) + top + bottom, (shape[3] ?? 1) + left + right)
}

/** Most rounds of an iteration, and the change at which it ends. */
const [rounds, settled] = [300, 1e-8]

/** Largest singular value of w [rows, columns] by the power iteration on w'w, in float64. */
export function largestSingular(w: ArrayLike<number>, rows: number, columns: number): number {
  let v = Float64Array.from({ length: columns }, (_, i) => 1 + 0.5 * Math.sin(7 * i + 1))
  let norm = 0
  for (let round = 0; round < rounds; round++) {
    const u = new Float64Array(rows)
    const next = new Float64Array(columns)
    const length = Math.sqrt(squares(v))
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += w[i * columns + j]! * v[j]!
      u[i] = sum / length
      for (let j = 0; j < columns; j++) next[j]! += w[i * columns + j]! * u[i]!
    }
    const found = Math.sqrt(squares(u))
    v = next
    if (Math.abs(found - norm) <= settled * found) return found
    norm = found
  }
  return norm
}

/**
 * Operator norm of a strided circular convolution. At each frequency of the output it is a matrix [O, I stride^2] of the transforms
 * of the kernels at the frequencies that the stride folds together; section 4.3, with the factor 1 / stride of the folding.
 */
export function convolutionNorm({ w, shape, stride, groups, side }: Convolution): number {
  const [outputs = 1, inner = 1] = shape
  const each = outputs / groups
  const size = count(shape.slice(1))
  let largest = 0
  for (let group = 0; group < groups; group++) {
    const own = Float64Array.from({ length: each * size }, (_, i) => w[group * each * size + i]!)
    largest = Math.max(largest, groupNorm(own, [each, inner, shape[2] ?? 1, shape[3] ?? 1], stride, side))
  }
  return largest / stride
}

function groupNorm(
  w: Float64Array,
  shape: readonly [number, number, number, number],
  stride: number,
  side: number,
): number {
  const [outputs, inner] = shape
  const folded = side / stride
  let largest = 0
  for (let y = 0; y < folded; y++) {
    // A real kernel's transform at the opposite frequency is its conjugate.
    for (let x = 0; x <= Math.floor(folded / 2); x++) {
      const columns = inner * stride ** 2
      const [re, im] = [new Float64Array(outputs * columns), new Float64Array(outputs * columns)]
      for (let fold = 0; fold < stride ** 2; fold++) {
        const [fy, fx] = [y + folded * Math.floor(fold / stride), x + folded * (fold % stride)]
        transform(w, shape, [(2 * Math.PI * fy) / side, (2 * Math.PI * fx) / side], {
          re,
          im,
          columns,
          at: fold * inner,
        })
      }
      largest = Math.max(largest, complexNorm(re, im, outputs, columns))
    }
  }
  return largest
}

interface Place {
  readonly re: Float64Array
  readonly im: Float64Array
  readonly columns: number
  readonly at: number
}

/** Writes the transform of each kernel at a frequency: [O, I] into columns from `at` on. */
function transform(
  w: Float64Array,
  [outputs, inner, height, width]: readonly [number, number, number, number],
  [fy, fx]: readonly [number, number],
  { re, im, columns, at }: Place,
): void {
  const taps = height * width
  const angles = Array.from({ length: taps }, (_, t) => fy * Math.floor(t / width) + fx * (t % width))
  const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)]
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inner; i++) {
      let [real, imaginary] = [0, 0]
      for (let t = 0; t < taps; t++) {
        const value = w[(o * inner + i) * taps + t]!
        real += value * cosines[t]!
        imaginary -= value * sines[t]!
      }
      re[o * columns + at + i] = real
      im[o * columns + at + i] = imaginary
    }
  }
}

/** Largest singular value of a complex matrix [rows, columns], as `largestSingular`. */
function complexNorm(re: Float64Array, im: Float64Array, rows: number, columns: number): number {
  let vr = Float64Array.from({ length: columns }, (_, i) => 1 + 0.5 * Math.sin(7 * i + 1))
  let vi = Float64Array.from({ length: columns }, (_, i) => 0.5 * Math.cos(5 * i))
  let norm = 0
  for (let round = 0; round < rounds; round++) {
    const length = Math.sqrt(squares(vr) + squares(vi))
    const [nr, ni] = [new Float64Array(columns), new Float64Array(columns)]
    let found = 0
    for (let i = 0; i < rows; i++) {
      let [ur, ui] = [0, 0]
      for (let j = 0, k = i * columns; j < columns; j++, k++) {
        ur += re[k]! * vr[j]! - im[k]! * vi[j]!
        ui += re[k]! * vi[j]! + im[k]! * vr[j]!
      }
      ur /= length
      ui /= length
      found += ur * ur + ui * ui
      for (let j = 0, k = i * columns; j < columns; j++, k++) {
        nr[j]! += re[k]! * ur + im[k]! * ui
        ni[j]! += re[k]! * ui - im[k]! * ur
      }
    }
    found = Math.sqrt(found)
    ;[vr, vi] = [nr, ni]
    if (Math.abs(found - norm) <= 1e-6 * found) return found
    norm = found
  }
  return norm
}

function squares(v: Float64Array): number {
  return v.reduce((sum, value) => sum + value * value, 0)
}
