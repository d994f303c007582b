// What batch and group normalisation share: attributes, and the gradients of their gradients. With r = (variance + epsilon)^-1/2 and
// h = (x - mean) r, y = scale h + shift and, with g = scale dy and means over the n elements that were normalised together,
// dx = r P(g), P(g) = g - mean(g) - h mean(g h).
import { formatShape, type Shape, type Tensor, type TensorType } from '../graph/index.js'
import { expectDType, expectFloat, expectShape, expectThat } from './define.js'
import { add, cast, mul, rsqrt, sub } from './pointwise.js'
import { broadcastTo, reshape, sum } from './axes.js'
import { mean as average } from './reduce.js'

/** How a tensor is seen: as [N, G, D, S], of which the axes `together` are normalised together and each channel is (G, D). */
export interface Frame {
  readonly whole: Shape
  /** Of mean and variance. */
  readonly statistic: Shape
  /** Of scale and shift. */
  readonly parameter: Shape
  readonly together: readonly number[]
}

/** Checks epsilon, x and the vectors of one number for each channel. */
export function expectNormalised(x: TensorType, channels: Readonly<Record<string, TensorType>>, epsilon: number): void {
  expectFloat(x, 'x')
  expectThat(x.shape.length >= 2, 'x with at least two axes', formatShape(x.shape))
  for (const [name, vector] of Object.entries(channels)) {
    expectDType(vector, ['f32'], name)
    expectShape(vector, x.shape.slice(1, 2), `${name} of shape`)
  }
  expectThat(Number.isFinite(epsilon) && epsilon > 0, 'epsilon of more than 0', epsilon.toString())
}

export interface Normalised {
  readonly dy: Tensor
  readonly x: Tensor
  readonly scale: Tensor
  readonly mean: Tensor
  readonly variance: Tensor
}

/** The same in f32, seen by the frame. */
class Seen {
  readonly x: Tensor
  readonly scale: Tensor
  readonly centred: Tensor
  readonly inverse: Tensor
  readonly hat: Tensor

  constructor(
    readonly frame: Frame,
    { x, scale, mean, variance }: Omit<Normalised, 'dy'>,
    epsilon: number,
  ) {
    this.x = this.see(x)
    this.scale = reshape(scale, frame.parameter)
    this.inverse = rsqrt(add(reshape(variance, frame.statistic), epsilon))
    this.centred = sub(this.x, reshape(mean, frame.statistic))
    this.hat = times(this.centred, this.inverse)
  }

  see(x: Tensor): Tensor {
    return reshape(cast(x, 'f32'), this.frame.whole)
  }

  mean(x: Tensor): Tensor {
    return average(x, this.frame.together, { keepDims: true })
  }

  project(g: Tensor): Tensor {
    return less(less(g, this.mean(g)), times(this.hat, this.mean(times(g, this.hat))))
  }
}

const times = (a: Tensor, b: Tensor): Tensor => mul(a, b)
const less = (a: Tensor, b: Tensor): Tensor => sub(a, b)
const plus = (a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined => (a && b ? add(a, b) : (a ?? b))

/** dL/dx through the statistics: d mean / dx = 1 / n, d variance / dx = 2 (x - mean) / n. */
export function throughStatistics(
  x: Tensor,
  mean: Tensor,
  [dmean, dvariance]: readonly (Tensor | undefined)[],
  frame: Frame,
): Tensor | undefined {
  const n = frame.together.reduce((product, axis) => product * (frame.whole[axis] ?? 1), 1)
  const seen = (statistic: Tensor) => reshape(mul(statistic, 1 / n), frame.statistic)
  const centred = () => less(reshape(cast(x, 'f32'), frame.whole), reshape(mean, frame.statistic))
  const second = dvariance && mul(times(centred(), seen(dvariance)), 2)
  const total = plus(dmean && broadcastTo(seen(dmean), frame.whole), second)
  return total && cast(reshape(total, x.shape), x.dtype)
}

/**
 * Gradients of the gradient: of dy, x, scale, mean and variance, from those of dx, dscale and dshift (u, v and w). With
 * e = dL/dh = v dy - r (u mean(g h) + g mean(u h)): dL/d(dy) = scale r P(u) + v h + w, dL/dx = r e, dL/d(mean) = -r sum(e),
 * dL/dr = sum(u P(g) + e (x - mean)).
 */
export function secondGradient(
  given: Normalised,
  [u, v, w]: readonly (Tensor | undefined)[],
  frame: Frame,
  epsilon: number,
): (Tensor | undefined)[] {
  const seen = new Seen(frame, given, epsilon)
  const { hat, inverse, scale } = seen
  const dy = seen.see(given.dy)
  const g = times(dy, scale)
  const wide = u && seen.see(u)
  const projected = wide && times(inverse, seen.project(wide))
  const channel = (x: Tensor) => reshape(x, frame.parameter)
  const ddy = plus(plus(projected && times(projected, scale), v && times(channel(v), hat)), w && channel(w))
  const cross = wide && plus(times(wide, seen.mean(times(g, hat))), times(g, seen.mean(times(wide, hat))))
  const e = plus(cross && mul(times(cross, inverse), -1), v && times(channel(v), dy))
  const statistic = (x: Tensor) => sum(x, frame.together)
  const slope = plus(wide && statistic(times(wide, seen.project(g))), e && statistic(times(e, seen.centred)))
  // dr / d(variance) = -r^3 / 2
  const cubed = mul(times(inverse, times(inverse, inverse)), -0.5)
  const like = (x: Tensor | undefined, to: Tensor) => x && cast(reshape(x, to.shape), to.dtype)
  return [
    like(ddy && broadcastTo(ddy, frame.whole), given.dy),
    like(e && times(e, inverse), given.x),
    projected && reshape(sum(times(dy, projected), [0, 3]), given.scale.shape),
    e && reshape(mul(statistic(times(e, inverse)), -1), given.mean.shape),
    slope && times(reshape(slope, given.variance.shape), reshape(cubed, given.variance.shape)),
  ]
}
