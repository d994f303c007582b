// Pooling over plain, overlapping and padded windows. The index of a max pool is opaque: only its own gradient reads it.
import { emit, type Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { registry } from '../../lib/ops/registry.js'
import { addAt, at, fill, isInside, type NDArray } from '../support/ndarray.js'
import {
  accumulation,
  apply,
  exact,
  input,
  type OpCase,
  opCase,
  type Refusal,
  type Sample,
} from '../support/op-case.js'
import { distinct, uniform } from '../support/random.js'

type PoolAttrs = {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
}
type AverageAttrs = PoolAttrs & { readonly countPadding: boolean }

/** Positions of a window in x, row-major; those in the padding too. */
function taps([n, c, i, j]: readonly number[], { kernel, stride, padding }: PoolAttrs): number[][] {
  const [kh, kw] = kernel as [number, number]
  return Array.from({ length: kh * kw }, (_, tap) => [
    n!,
    c!,
    i! * stride[0]! - padding[0]! + Math.floor(tap / kw),
    j! * stride[1]! - padding[1]! + (tap % kw),
  ])
}

interface Layout {
  readonly name: string
  readonly x: number[]
  readonly y: number[]
  readonly attrs: PoolAttrs
}

const layouts: readonly Layout[] = [
  { name: 'plain', x: [2, 3, 4, 6], y: [2, 3, 2, 3], attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } },
  {
    name: 'overlapping',
    x: [1, 2, 7, 5],
    y: [1, 2, 3, 2],
    attrs: { kernel: [3, 3], stride: [2, 2], padding: [0, 0, 0, 0] },
  },
  {
    name: 'padded',
    x: [1, 2, 5, 4],
    y: [1, 2, 3, 4],
    attrs: { kernel: [3, 2], stride: [2, 1], padding: [1, 1, 1, 0] },
  },
  {
    name: 'rows left over',
    x: [1, 1, 5, 5],
    y: [1, 1, 2, 2],
    attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
  },
]

const float = (shape: readonly number[]) => `float[${shape.join(', ')}]`
const inside = (x: NDArray, index: readonly number[]) => isInside(x, ...index)

/** How many elements a window is divided by. */
function divisor(x: NDArray, index: readonly number[], attrs: AverageAttrs): number {
  return attrs.countPadding
    ? attrs.kernel[0]! * attrs.kernel[1]!
    : taps(index, attrs).filter((tap) => inside(x, tap)).length
}

const refuses = (
  name: string,
  attrs: Partial<PoolAttrs>,
  message: RegExp,
  shape = [1, 1, 4, 4],
  extra = {},
): Refusal => ({
  inputs: [{ dtype: 'f32', shape }],
  build: apply(name, { ...layouts[0]!.attrs, ...attrs, ...extra }),
  message,
})

const maxPool2d = opCase<PoolAttrs>({
  name: 'maxPool2d',
  reference: ([x], attrs, [output]) => {
    const best = (index: readonly number[]) => {
      const values = taps(index, attrs).map((tap) => (inside(x!, tap) ? at(x!, ...tap) : -Infinity))
      return { value: Math.max(...values), position: values.indexOf(Math.max(...values)) }
    }
    return [fill(output!.shape, (index) => best(index).value), fill(output!.shape, (index) => best(index).position)]
  },
  samples: layouts.map((layout) => ({
    name: layout.name,
    inputs: [input('float', layout.x, distinct)],
    build: apply('maxPool2d', layout.attrs),
    outputs: [float(layout.y), `u8[${layout.y.join(', ')}]`],
    noSecondGradient: 'no kernel gathers by the index of a max pool',
    opaque: [1],
  })),
  refusals: [
    refuses('maxPool2d', { padding: [2, 0, 0, 0] }, /expected padding below the kernel \[2, 2\], got \[2, 0, 0, 0\]/),
    refuses('maxPool2d', { kernel: [5, 2] }, /expected a window of at most 4 \(the padded extent\), got 5/),
    refuses('maxPool2d', { kernel: [17, 17] }, /expected a kernel of at most 256 elements, got 289/, [1, 1, 20, 20]),
    refuses('maxPool2d', {}, /expected x with 4 axes, got \[4, 4\]/, [4, 4]),
  ],
  tolerance: exact,
})

/** The index is made by the backend's own maxPool2d: dy is the second operand, x the first. */
function maxPoolGrad({ attrs, x }: Layout): Sample['build'] {
  return (input0, dy) => {
    const [, index] = emit(registry.get('maxPool2d')!, [input0], attrs)
    return emit(registry.get('maxPool2dGrad')!, [dy, index as Tensor], { ...attrs, size: x.slice(2) })
  }
}

const maxPool2dGrad = opCase<PoolAttrs>({
  name: 'maxPool2dGrad',
  reference: ([dy, index], attrs, [output]) => {
    const dx = fill(output!.shape, () => 0)
    fill(dy!.shape, (at4) => {
      addAt(dx, at(dy!, ...at4), ...taps(at4, attrs)[at(index!, ...at4)]!)
      return 0
    })
    return [dx]
  },
  samples: layouts.map((layout) => ({
    name: layout.name,
    inputs: [input('float', layout.x, distinct), input('float', layout.y, uniform())],
    build: maxPoolGrad(layout),
    outputs: [float(layout.x)],
    noGradient: 'no kernel gathers by the index of a max pool',
  })),
  noGolden: 'its index is opaque; the gradients in the vectors of maxPool2d are made by it',
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [1, 1, 2, 2] },
        { dtype: 'f32', shape: [1, 1, 2, 2] },
      ],
      build: apply('maxPool2dGrad', { ...layouts[0]!.attrs, size: [4, 4] }),
      message: /expected index of u8, got f32/,
    },
    {
      inputs: [
        { dtype: 'f32', shape: [1, 1, 2, 2] },
        { dtype: 'u8', shape: [1, 1, 2, 2] },
      ],
      build: apply('maxPool2dGrad', { ...layouts[0]!.attrs, size: [6, 4] }),
      message: /expected dy of shape \[1, 1, 3, 2\], got \[1, 1, 2, 2\]/,
    },
  ],
  tolerance: accumulation,
})

const averages = layouts.flatMap((layout) => [true, false].map((countPadding) => ({ ...layout, countPadding })))

const avgPool2d = opCase<AverageAttrs>({
  name: 'avgPool2d',
  reference: ([x], attrs, [output]) => [
    fill(
      output!.shape,
      (index) => taps(index, attrs).reduce((sum, tap) => sum + at(x!, ...tap), 0) / divisor(x!, index, attrs),
    ),
  ],
  samples: averages.map(({ name, x, y, attrs, countPadding }) => ({
    name: `${name}, ${countPadding ? 'whole window' : 'what lies inside'}`,
    inputs: [input('float', x, uniform())],
    build: apply('avgPool2d', { ...attrs, countPadding }),
    outputs: [float(y)],
  })),
  refusals: [
    refuses('avgPool2d', { stride: [0, 1] }, /expected stride of 2 integers >= 1, got \[0, 1\]/, [1, 1, 4, 4], {
      countPadding: true,
    }),
  ],
  tolerance: accumulation,
})

const avgPool2dGrad = opCase<AverageAttrs>({
  name: 'avgPool2dGrad',
  reference: ([dy], attrs, [output]) => {
    const dx = fill(output!.shape, () => 0)
    fill(dy!.shape, (index) => {
      const share = at(dy!, ...index) / divisor(dx, index, attrs)
      for (const tap of taps(index, attrs)) if (inside(dx, tap)) addAt(dx, share, ...tap)
      return 0
    })
    return [dx]
  },
  samples: averages.map(({ name, x, y, attrs, countPadding }) => ({
    name: `${name}, ${countPadding ? 'whole window' : 'what lies inside'}`,
    inputs: [input('float', y, uniform())],
    build: apply('avgPool2dGrad', { ...attrs, countPadding, size: x.slice(2) }),
    outputs: [float(x)],
  })),
  refusals: [
    refuses('avgPool2dGrad', {}, /expected dy of shape \[1, 1, 2, 3\], got \[1, 1, 4, 4\]/, [1, 1, 4, 4], {
      countPadding: true,
      size: [4, 6],
    }),
  ],
  tolerance: accumulation,
})

interface CeilSample {
  readonly name: string
  readonly x: number[]
  /** Extents as PyTorch gives them in ceil_mode. */
  readonly y: number[]
  readonly kernel: ops.Pair
  readonly stride: ops.Pair
  readonly padding: number
}

const ceilSamples: readonly CeilSample[] = [
  { name: 'a last column and row', x: [1, 2, 6, 8], y: [1, 2, 3, 4], kernel: 3, stride: 2, padding: 0 },
  { name: 'nothing left over', x: [1, 2, 7, 5], y: [1, 2, 3, 2], kernel: 3, stride: 2, padding: 0 },
  { name: 'no window in the padding alone', x: [1, 1, 5, 8], y: [1, 1, 2, 3], kernel: 2, stride: 3, padding: 1 },
  { name: 'a window of one row', x: [1, 2, 2, 7], y: [1, 2, 1, 4], kernel: [3, 2], stride: 2, padding: 0 },
]

/** Of each window the elements inside x, by the public options, and what is made of them. */
function clipped({ y, kernel, stride, padding }: CeilSample, of: (inside: number[]) => number): Sample['value'] {
  const both = (pair: ops.Pair) => (typeof pair === 'number' ? [pair, pair] : [...pair])
  const attrs = { kernel: both(kernel), stride: both(stride), padding: [padding, padding, padding, padding] }
  return (x) =>
    fill(y, (index) => {
      const values = taps(index, attrs).flatMap((tap) => (inside(x, tap) ? [at(x, ...tap)] : []))
      return of(values)
    })
}

const ceilCase = (
  name: 'maxPool2d' | 'avgPool2d',
  of: (inside: number[]) => number,
  rest: Pick<OpCase, 'tolerance' | 'refusals'>,
): OpCase =>
  opCase({
    name: `${name} with ceil`,
    samples: ceilSamples.map((sample) => ({
      name: sample.name,
      inputs: [input('float', sample.x, distinct)],
      build: (x) => {
        const { stride, padding } = sample
        return ops[name](x as Tensor<'f32', [number, number, number, number]>, sample.kernel, {
          stride,
          padding,
          ceil: true,
        })
      },
      outputs: [float(sample.y)],
      value: clipped(sample, of)!,
      ...(name === 'maxPool2d' && { noSecondGradient: 'no kernel gathers by the index of a max pool' }),
    })),
    ...rest,
  })

const refusesCeil = (build: Sample['build'], message: RegExp, code?: 'ERR_OPTION'): Refusal => ({
  inputs: [{ dtype: 'f32', shape: [1, 1, 4, 4] }],
  build,
  message,
  ...(code && { code }),
})

const maxCeil = ceilCase('maxPool2d', (values) => Math.max(...values), {
  tolerance: exact,
  refusals: [
    refusesCeil(
      (x) => ops.maxPool2d(x as Tensor<'f32', [1, 1, 4, 4]>, 7, { stride: 2, ceil: true }),
      /expected a window of at most 4 \(the padded extent\), got 7/,
    ),
  ],
})

const averageCeil = ceilCase('avgPool2d', (values) => values.reduce((sum, x) => sum + x, 0) / values.length, {
  tolerance: accumulation,
  refusals: [
    refusesCeil(
      (x) => ops.avgPool2d(x as Tensor<'f32', [1, 1, 4, 4]>, 3, { ceil: true, countPadding: true }),
      /ops\.avgPool2d\[countPadding\]: expected false with ceil, got true/,
      'ERR_OPTION',
    ),
  ],
})

export const pool2dCases: readonly OpCase[] = [maxPool2d, maxPool2dGrad, avgPool2d, avgPool2dGrad, maxCeil, averageCeil]
