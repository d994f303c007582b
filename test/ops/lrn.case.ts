// Local response normalisation: windows that reach over both ends of the channels, odd places, the powers of each path.
import { vjp } from '../../lib/autodiff/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import type { LrnOptions } from '../../lib/ops/index.js'
import { at, fill, type NDArray } from '../support/ndarray.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { uniform } from '../support/random.js'

/** Sum of `term` over the channels of the window around channel c that exist. */
function windowSum([, channels]: readonly number[], c: number, size: number, term: (j: number) => number): number {
  const half = (size - 1) / 2
  let sum = 0
  for (let j = Math.max(0, c - half); j <= Math.min(channels! - 1, c + half); j++) sum += term(j)
  return sum
}

/** k + alpha * the energy of the window around an element. */
function scaleAt(x: NDArray, [n, c, h, w]: readonly number[], { size, alpha, k }: LrnOptions): number {
  return k + alpha * windowSum(x.shape, c!, size, (j) => at(x, n!, j, h!, w!) ** 2)
}

const samplesOf = (name: string, inputs: number): Sample[] => {
  const sample = (what: string, shape: number[], attrs: LrnOptions): Sample => ({
    name: what,
    inputs: Array.from({ length: inputs }, () => input('float', shape, uniform())),
    build: apply(name, attrs),
    outputs: [`float[${shape.join(', ')}]`],
  })
  return [
    sample('the usual window', [2, 7, 3, 2], { size: 5, alpha: 0.5, beta: 0.75, k: 2 }),
    sample('blocks of channels', [1, 16, 2, 3], { size: 5, alpha: 0.25, beta: 0.75, k: 1 }),
    sample('another power', [1, 6, 2, 2], { size: 3, alpha: 0.5, beta: 0.5, k: 1 }),
    sample('a power above one', [2, 5, 1, 3], { size: 3, alpha: 0.125, beta: 1.5, k: 0.5 }),
    sample('a window wider than the channels', [1, 4, 2, 2], { size: 9, alpha: 0.1, beta: 0.75, k: 1 }),
    sample('a window of one', [1, 3, 2, 2], { size: 1, alpha: 0.5, beta: 0.75, k: 1 }),
    sample('one channel', [2, 1, 3, 3], { size: 3, alpha: 0.5, beta: 0.75, k: 1 }),
    sample('more places than a tile has', [1, 3, 5, 7], { size: 3, alpha: 0.5, beta: 0.75, k: 1 }),
    {
      ...sample('work for two threads', [2, 16, 20, 17], { size: 5, alpha: 0.25, beta: 0.75, k: 2 }),
      noGradient: 'as of the small ones',
    },
  ]
}

const good: LrnOptions = { size: 5, alpha: 1, beta: 0.75, k: 2 }
const refuses = (attrs: Partial<LrnOptions>, message: RegExp, shape = [1, 4, 2, 2]): Refusal => ({
  inputs: [{ dtype: 'f32', shape }],
  build: apply('lrn', { ...good, ...attrs }),
  message,
})

const power: Tolerance = {
  f32: 2 ** -19,
  bf16: 2 ** -8,
  relativeTo: 'tensor',
  reason: 'sums of at most a few dozen squares, a power by square roots or exp and log, one rounding of the result',
}

const lrn = opCase<LrnOptions>({
  name: 'lrn',
  reference: ([x], attrs) => [fill(x!.shape, (i) => at(x!, ...i) / scaleAt(x!, i, attrs) ** attrs.beta)],
  samples: samplesOf('lrn', 1),
  refusals: [
    refuses({ size: 4 }, /expected an odd size from 1 to 63, got 4/),
    refuses({ size: 65 }, /expected an odd size from 1 to 63, got 65/),
    refuses({ alpha: -1 }, /expected alpha of at least 0, got -1/),
    refuses({ beta: -1 }, /expected beta of at least 0, got -1/),
    refuses({ k: 0 }, /expected k of more than 0, got 0/),
    refuses({}, /expected x with 4 axes, got \[4, 2\]/, [4, 2]),
  ],
  tolerance: power,
})

const lrnGrad = opCase<LrnOptions>({
  name: 'lrnGrad',
  // The sum over outputs of dy times the derivative of each, term by term.
  reference: ([dy, x], attrs) => [
    fill(x!.shape, ([n, c, h, w]) => {
      const { size, alpha, beta } = attrs
      const here = [n!, c!, h!, w!]
      const direct = at(dy!, ...here) * scaleAt(x!, here, attrs) ** -beta
      const through = windowSum(x!.shape, c!, size, (j) => {
        const there = [n!, j, h!, w!]
        return at(dy!, ...there) * at(x!, ...there) * scaleAt(x!, there, attrs) ** (-beta - 1)
      })
      return direct - 2 * alpha * beta * at(x!, ...here) * through
    }),
  ],
  samples: samplesOf('lrnGrad', 2),
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [1, 4, 2, 2] },
        { dtype: 'f32', shape: [1, 4, 2, 3] },
      ],
      build: apply('lrnGrad', good),
      message: /expected dy of shape \[1, 4, 2, 3\], got \[1, 4, 2, 2\]/,
    },
    {
      inputs: [
        { dtype: 'bf16', shape: [1, 4, 2, 2] },
        { dtype: 'f32', shape: [1, 4, 2, 2] },
      ],
      build: apply('lrnGrad', good),
      message: /expected dy and x of one dtype, got bf16 and f32/,
    },
  ],
  tolerance: power,
})

type Image = Tensor<'f32', [number, number, number, number]>

/** In the layout that a convolution leaves, with channels that fill its blocks and some that do not. */
const afterConv2d = opCase({
  name: 'lrn after conv2d',
  samples: [8, 12, 33].map((channels) => ({
    name: `${channels} channels`,
    inputs: [input('float', [2, 8, 4, 5], uniform()), input('float', [channels, 8, 1, 1], uniform(-0.5, 0.5))],
    build: (x, w) => ops.lrn(ops.conv2d(x as Image, w as Image), { size: 5, alpha: 0.5, beta: 0.75, k: 1 }),
    outputs: [`float[2, ${channels}, 4, 5]`],
  })),
  refusals: [],
  tolerance: { ...power, bf16: 2 ** -7, reason: `${power.reason}; bf16 rounds between the two as well` },
})

/** Both gradients of the same, so that dy and x lie as convolutions leave them. */
const betweenConvolutions = opCase({
  name: 'gradient of lrn between convolutions',
  samples: [8, 12, 33].map((channels) => ({
    name: `${channels} channels`,
    inputs: [
      input('float', [2, 8, 4, 5], uniform()),
      input('float', [channels, 8, 1, 1], uniform(-0.5, 0.5)),
      input('float', [4, channels, 1, 1], uniform(-0.5, 0.5)),
      input('float', [2, 4, 4, 5], uniform()),
    ],
    build: (x, w, v, dy) => {
      const middle = ops.lrn(ops.conv2d(x as Image, w as Image), { size: 5, alpha: 0.5, beta: 0.75, k: 1 })
      return vjp([ops.conv2d(middle, v as Image)], [dy], [x, w, v])
    },
    outputs: ['float[2, 8, 4, 5]', `float[${channels}, 8, 1, 1]`, `float[4, ${channels}, 1, 1]`],
    noGradient: 'it is one: checked as the second gradient of lrn',
  })),
  refusals: [],
  tolerance: { ...power, bf16: 2 ** -6, reason: `${power.reason}; bf16 rounds four times on the way` },
})

export const lrnCases: readonly OpCase[] = [lrn, lrnGrad, afterConv2d, betweenConvolutions]
