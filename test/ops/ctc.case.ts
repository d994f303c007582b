// Connectionist temporal classification: rows of several lengths, repeats, no labels, one frame, one way only, none.
import type { Tensor } from '../../lib/graph/index.js'
import { ctc } from '../../lib/ops/ctc.js'
import { ctcOutputs } from '../support/ctc-loss.js'
import { apply, input, type OpCase, opCase, type Refusal, type Sample, type Tolerance } from '../support/op-case.js'
import { type Draw, exactly, integers, uniform } from '../support/random.js'

type Attrs = { readonly blank: number; readonly impossible: string }

interface Rows {
  /** T, N, K, L. */
  readonly extents: readonly [number, number, number, number]
  readonly labels: Draw
  readonly labelLengths: readonly number[]
  readonly frameLengths: readonly number[]
  readonly logits?: Draw
  readonly attrs?: Partial<Attrs>
}

/** Two samples: the loss alone, whose gradient is checked, and the loss with its gradient as a backend gives it. */
function samples(name: string, given: Rows, extra: Partial<Sample> = {}): Sample[] {
  const [t, n, k, l] = given.extents
  const inputs = [
    input('float', [t, n, k], given.logits ?? uniform()),
    input('i32', [n, l], given.labels),
    input('i32', [n], exactly(...given.labelLengths)),
    input('i32', [n], exactly(...given.frameLengths)),
  ]
  const both = apply('ctc', { blank: 0, impossible: 'error', ...given.attrs })
  const loss = (...tensors: readonly Tensor[]) => (both(...tensors) as readonly Tensor[]).slice(0, 1)
  const outputs = [`f32[${n}]`, `f32[${t}, ${n}, ${k}]`]
  const none = 'the gradient of ctc has none'
  return [
    { name, inputs, build: loss, outputs: outputs.slice(0, 1), noSecondGradient: none, ...extra },
    { name: `${name}, with its gradient`, inputs, build: both, outputs, ...extra, noGradient: none },
  ]
}

const tolerance: Tolerance = {
  f32: 2 ** -17,
  bf16: 2 ** -17,
  relativeTo: 'tensor',
  reason: 'f32 logarithms of sums over all ways, one for each frame; outputs are f32 in every precision',
}
const long: Tolerance = { ...tolerance, f32: 2 ** -14, reason: 'roundings of logarithms add up over the frames' }

const shapes = (...types: readonly Refusal['inputs'][number][]): Refusal['inputs'] => types
const logits = { dtype: 'f32', shape: [5, 3, 4] } as const
const labels = { dtype: 'i32', shape: [3, 2] } as const
const lengths = { dtype: 'i32', shape: [3] } as const
const refusal = (inputs: Refusal['inputs'], message: RegExp, attrs: Partial<Attrs> = {}): Refusal => ({
  inputs,
  build: apply('ctc', { blank: 0, impossible: 'error', ...attrs }),
  message,
})
const option = (options: object, message: RegExp): Refusal => ({
  inputs: shapes(logits, labels, lengths, lengths),
  build: (x, y, ...counts) =>
    ctc(x, y as Tensor<'i32'>, counts[0] as Tensor<'i32'>, counts[1] as Tensor<'i32'>, options),
  message,
  code: 'ERR_OPTION',
})

export const ctcCases: readonly OpCase[] = [
  opCase<Attrs>({
    name: 'ctc',
    reference: (inputs, { blank }) => ctcOutputs(inputs, blank),
    samples: [
      // Behind a row's labels stand numbers that are no labels.
      ...samples('rows of several lengths', {
        extents: [5, 4, 4, 3],
        labels: exactly(1, 2, 3, 2, 2, -9, 3, 77, 0, 0, 0, 0),
        labelLengths: [3, 2, 1, 0],
        frameLengths: [5, 4, 1, 3],
      }),
      ...samples('another blank, and repeats', {
        extents: [6, 2, 3, 3],
        labels: exactly(0, 0, 1, 1, 0, 1),
        labelLengths: [3, 3],
        frameLengths: [6, 5],
        attrs: { blank: 2 },
      }),
      ...samples('one way only', {
        extents: [5, 2, 3, 3],
        labels: exactly(1, 1, 1, 2, 1, 2),
        labelLengths: [3, 3],
        frameLengths: [5, 3],
      }),
      ...samples('one frame', {
        extents: [1, 3, 3, 1],
        labels: exactly(1, 2, 0),
        labelLengths: [1, 1, 0],
        frameLengths: [1, 1, 1],
      }),
      ...samples('rows without frames', {
        extents: [2, 3, 3, 2],
        labels: exactly(1, 2, 0, 0, 2, 2),
        labelLengths: [2, 0, 1],
        frameLengths: [2, 0, 2],
      }),
      ...samples(
        'rows that do not fit',
        {
          extents: [3, 4, 3, 3],
          labels: exactly(1, 1, 1, 1, 2, 1, 1, 1, 0, 2, 2, 2),
          labelLengths: [3, 3, 2, 1],
          frameLengths: [3, 3, 2, 0],
          attrs: { impossible: 'infinity' },
        },
        {
          noGradient: 'not finite',
          // A share of each element, for the largest is infinite; no gradient is near 0.
          tolerance: { ...tolerance, f32: 2 ** -13, relativeTo: 'element' },
        },
      ),
      ...samples(
        'large logits',
        {
          extents: [6, 2, 4, 2],
          labels: exactly(1, 2, 3, 3),
          labelLengths: [2, 2],
          frameLengths: [6, 6],
          logits: uniform(-100, 100),
        },
        { noGradient: 'saturated: differences of 1e-6 vanish', tolerance: long },
      ),
      ...samples(
        'many frames and labels, for two threads',
        {
          extents: [70, 7, 20, 33],
          labels: integers(1, 20),
          labelLengths: [33, 32, 31, 16, 15, 14, 0],
          frameLengths: [70, 70, 69, 70, 41, 33, 70],
          logits: uniform(-4, 4),
        },
        { noGradient: 'as of the small ones', tolerance: long },
      ),
      ...samples(
        'hundreds of frames',
        {
          extents: [500, 1, 5, 40],
          labels: integers(1, 5),
          labelLengths: [40],
          frameLengths: [500],
          logits: uniform(-3, 3),
        },
        { noGradient: 'as of the small ones', tolerance: { ...long, f32: 2 ** -15 } },
      ),
      ...samples(
        'more classes than a warp has threads',
        {
          extents: [12, 2, 300, 4],
          labels: exactly(299, 7, 299, 7, 31, 32, 33, 64),
          labelLengths: [4, 4],
          frameLengths: [12, 9],
        },
        { noGradient: 'as of the small ones', tolerance: long },
      ),
    ],
    refusals: [
      refusal(shapes({ ...logits, dtype: 'i32' }, labels, lengths, lengths), /expected logits of f32 or bf16/),
      refusal(
        shapes({ ...logits, shape: [5, 3] }, labels, lengths, lengths),
        /expected logits with 3 axes, got \[5, 3\]/,
      ),
      refusal(shapes(logits, { ...labels, dtype: 'f32' }, lengths, lengths), /expected labels of i32, got f32\[3, 2\]/),
      refusal(shapes(logits, lengths, lengths, lengths), /expected labels with 2 axes, got \[3\]/),
      refusal(
        shapes(logits, { ...labels, shape: [2, 2] }, lengths, lengths),
        /expected labels of shape \[3, 2\], got \[2, 2\]/,
      ),
      refusal(
        shapes(logits, labels, { ...lengths, shape: [2] }, lengths),
        /expected label lengths of shape \[3\], got \[2\]/,
      ),
      refusal(
        shapes(logits, labels, lengths, { ...lengths, dtype: 'u8' }),
        /expected frame lengths of i32, got u8\[3\]/,
      ),
      refusal(shapes(logits, labels, lengths), /expected 4 inputs, got 3/),
      refusal(shapes(logits, labels, lengths, lengths), /expected a blank from 0 to 3, got 4/, { blank: 4 }),
      refusal(shapes(logits, labels, lengths, lengths), /expected impossible to be error or infinity, got zero/, {
        impossible: 'zero',
      }),
      option({ blank: -1 }, /ops.ctc\[blank\]: expected a whole number of at least 0, got -1/),
      option({ imposible: 'infinity' }, /did you mean impossible/),
    ],
    tolerance,
  }),
]
