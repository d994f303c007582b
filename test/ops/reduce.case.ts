// Reductions over inner, outer and several axes; maxima with and without ties.
import * as ops from '../../lib/ops/index.js'
import type { Shape, Tensor } from '../../lib/graph/index.js'
import { at, fill, indices, type NDArray } from '../support/ndarray.js'
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
import { distinct, exactly, integers, uniform } from '../support/random.js'

type ReduceAttrs = { readonly axes: readonly number[]; readonly keepDims: boolean }

type Four = [number, number, number, number]

/** Folds the elements that share an index outside `axes`. */
function reduce(
  x: NDArray,
  axes: readonly number[],
  shape: Shape,
  start: number,
  step: (a: number, b: number) => number,
) {
  const keep = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const kept = new Map<string, number>()
  for (const index of indices(x.shape)) {
    const key = keep.map((axis) => index[axis]).join()
    kept.set(key, step(kept.get(key) ?? start, at(x, ...index)))
  }
  return { shape, data: Float64Array.from(kept.values()) }
}

const badAxes = (name: string): Refusal[] =>
  [[], [1, 0], [0, 0], [2]].map((axes) => ({
    inputs: [{ dtype: 'f32', shape: [2, 3] }],
    build: apply(name, { axes, keepDims: false }),
    message: /expected ascending axes below 2, got \[/,
  }))

function samplesOf(name: string, draw = uniform()): Sample[] {
  const sample = (axes: number[], keepDims: boolean, shape: number[]): Sample => ({
    name: `axes ${axes.join()}${keepDims ? ' kept' : ''}`,
    inputs: [input('float', [3, 4, 5], draw)],
    build: apply(name, { axes, keepDims }),
    outputs: [`float[${shape.join(', ')}]`],
  })
  return [
    sample([2], false, [3, 4]),
    sample([0], true, [1, 4, 5]),
    sample([1], false, [3, 5]),
    sample([0, 2], false, [4]),
    sample([0, 1, 2], false, []),
    ...long((axis, shape) => ({
      inputs: [input('float', shape, name === 'sum' ? draw : wholeBf16)],
      build: apply(name, { axes: [axis], keepDims: false }),
      outputs: [`float[${shape[1 - axis]}]`],
      noGradient: 'the rule of the short ones, and thousands of elements to vary',
    })),
  ]
}

/** Numbers that bf16 holds, some of them equal. */
const wholeBf16 = integers(-200, 201)

/** Enough elements an output for several threads and for several parts, contiguous and not. */
const long = (of: (axis: 0 | 1, shape: number[]) => Omit<Sample, 'name'>): Sample[] => [
  { name: 'long rows', ...of(1, [3, 300]) },
  { name: 'rows in parts', ...of(1, [2, 5000]) },
  { name: 'long columns', ...of(0, [300, 3]) },
]

const ties: Sample = {
  name: 'a tie',
  inputs: [input('float', [2, 3], exactly(1, 3, 3, -1, -1, -1))],
  build: apply('max', { axes: [1], keepDims: false }),
  outputs: ['float[2]'],
  noGradient: 'not differentiable at a tie; test/unit/ops/subgradients.test.ts says what the gradient is',
}

const composed = (name: string, build: (x: Tensor) => Tensor, value: (x: readonly number[]) => number): OpCase => ({
  name,
  samples: [
    {
      name: 'rows',
      inputs: [input('float', [3, 5], distinct)],
      build,
      outputs: ['float[3]'],
      value: (x) => fill([3], ([row]) => value(Array.from(x.data.slice(row! * 5, row! * 5 + 5)))),
    },
  ],
  refusals: [],
  tolerance: { ...accumulation, bf16: 2 ** -6, reason: 'several ops, each rounding its result' },
})

const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length

export const reduceCases: readonly OpCase[] = [
  opCase<ReduceAttrs>({
    name: 'sum',
    reference: ([x], { axes }, [output]) => [reduce(x!, axes, output!.shape, 0, (a, b) => a + b)],
    samples: samplesOf('sum'),
    refusals: [
      ...badAxes('sum'),
      {
        inputs: [{ dtype: 'i32', shape: [2] }],
        build: apply('sum', { axes: [0], keepDims: false }),
        message: /expected x of f32 or bf16, got i32\[2\]/,
      },
    ],
    tolerance: accumulation,
  }),
  opCase({
    name: 'norm',
    reference: ([x]) => {
      const squares = x!.data.reduce((sum, value) => sum + value ** 2, 0)
      return [{ shape: [], data: Float64Array.of(Math.sqrt(squares)) }]
    },
    samples: [
      {
        name: 'some elements',
        inputs: [input('float', [3, 4], uniform())],
        build: apply('norm'),
        outputs: ['f32[]'],
      },
      { name: 'one element', inputs: [input('float', [], uniform())], build: apply('norm'), outputs: ['f32[]'] },
      ...(
        [
          ['large elements', [3, 4]],
          ['large elements for several threads and parts', [5, 20_000]],
        ] as const
      ).map(([name, shape]) => ({
        name: `${name}, whose squares f32 does not hold`,
        inputs: [input('float', shape, uniform(-2e25, 2e25))],
        build: apply('norm'),
        outputs: ['f32[]'],
        noGradient: 'differences of numbers that large; the rule is that of the small',
      })),
      {
        name: 'elements for several threads and parts',
        inputs: [input('float', [5, 20_000], uniform())],
        build: apply('norm'),
        outputs: ['f32[]'],
        noGradient: 'the rule of the few, and thousands of elements to vary',
      },
    ],
    refusals: [
      {
        inputs: [{ dtype: 'i32', shape: [2] }],
        build: apply('norm'),
        message: /expected x of f32 or bf16, got i32\[2\]/,
      },
    ],
    tolerance: accumulation,
  }),
  opCase<ReduceAttrs>({
    name: 'max',
    reference: ([x], { axes }, [output]) => [reduce(x!, axes, output!.shape, -Infinity, Math.max)],
    samples: [
      ...samplesOf('max', distinct),
      ties,
      {
        name: 'integers',
        inputs: [input('i32', [3, 4], integers(-9, 10))],
        build: apply('max', { axes: [1], keepDims: false }),
        outputs: ['i32[3]'],
        noGradient: 'integers have none',
      },
    ],
    refusals: badAxes('max'),
    tolerance: exact,
  }),
  opCase<{ readonly axis: number }>({
    name: 'argmax',
    reference: ([x], { axis }, [output]) => [
      fill(output!.shape, (index) => {
        const line = Array.from({ length: x!.shape[axis]! }, (_, i) =>
          at(x!, ...index.slice(0, axis), i, ...index.slice(axis)),
        )
        return line.indexOf(Math.max(...line))
      }),
    ],
    samples: [
      {
        name: 'the last axis',
        inputs: [input('float', [3, 5], distinct)],
        build: apply('argmax', { axis: 1 }),
        outputs: ['i32[3]'],
        noGradient: 'its output is an index',
      },
      {
        name: 'an inner axis',
        inputs: [input('float', [2, 4, 3], distinct)],
        build: apply('argmax', { axis: 1 }),
        outputs: ['i32[2, 3]'],
        noGradient: 'its output is an index',
      },
      {
        name: 'the first of several',
        inputs: [input('float', [2, 3], exactly(1, 3, 3, -1, -1, -1))],
        build: apply('argmax', { axis: 1 }),
        outputs: ['i32[2]'],
        noGradient: 'its output is an index',
      },
      ...long((axis, shape) => ({
        inputs: [input('float', shape, wholeBf16)],
        build: apply('argmax', { axis }),
        outputs: [`i32[${shape[1 - axis]}]`],
        noGradient: 'its output is an index',
      })),
    ],
    refusals: [
      {
        inputs: [{ dtype: 'f32', shape: [2, 3] }],
        build: apply('argmax', { axis: 2 }),
        message: /expected an axis of 2, got 2/,
      },
    ],
    tolerance: exact,
  }),
  composed('mean', (x) => ops.mean(x, -1), mean),
  composed(
    'min',
    (x) => ops.min(x, [1]),
    (x) => Math.min(...x),
  ),
  composed(
    'variance',
    (x) => ops.variance(x, 1),
    (x) => mean(x.map((value) => (value - mean(x)) ** 2)),
  ),
  composed(
    'logSumExp',
    (x) => ops.logSumExp(x, -1),
    (x) => Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0)),
  ),
  // In the layout that a convolution leaves: with channels that fill its blocks, and some that do not.
  opCase({
    name: 'sum after conv2d',
    samples: [8, 12].map((channels) => ({
      name: `${channels} channels`,
      inputs: [input('float', [2, 8, 4, 5], uniform()), input('float', [channels, 8, 1, 1], uniform(-0.5, 0.5))],
      build: (x, w) => ops.sum(ops.square(ops.conv2d(x as Tensor<'f32', Four>, w as Tensor<'f32', Four>))),
      outputs: ['float[]'],
    })),
    refusals: [],
    tolerance: { ...accumulation, bf16: 2 ** -6, reason: `${accumulation.reason}; bf16 rounds on the way too` },
  }),
]
