// Connectionist temporal classification: the likelihood of a row of labels, summed over all ways to spread them over the frames, and its
// gradient. Labels and lengths that are not what they have to be are the run-time error ERR_DATA.
import { expectOptions, is } from '../base/index.js'
import { emit, GraphError, type Tensor } from '../graph/index.js'
import { reshape } from './axes.js'
import { exactly, expectDType, expectFloat, expectRank, expectShape, expectThat, register } from './define.js'
import { cast, mul } from './pointwise.js'

type CtcAttrs = { readonly blank: number; readonly impossible: string }

const remedies = ['error', 'infinity'] as const

// The second output is the gradient of each loss by its logits, made where all that it needs is at hand; a backend leaves it out where
// nobody reads it.
const ctcOp = register<CtcAttrs>({
  name: 'ctc',
  kind: 'kernel',
  inBf16: 'f32',
  moves: false,
  epilogue: 'none',
  attributes: { blank: 'int', impossible: 'string' },
  infer: (inputs, { blank, impossible }) => {
    const [logits, labels, labelLengths, frameLengths] = exactly(inputs, 4)
    expectFloat(logits, 'logits')
    expectRank(logits, 3, 'logits')
    const [, rows = 1, classes = 1] = logits.shape
    expectDType(labels, ['i32'], 'labels')
    expectRank(labels, 2, 'labels')
    expectShape(labels, [rows, labels.shape[1] ?? 1], 'labels of shape')
    for (const [lengths, what] of [
      [labelLengths, 'label lengths'] as const,
      [frameLengths, 'frame lengths'] as const,
    ]) {
      expectDType(lengths, ['i32'], what)
      expectShape(lengths, [rows], `${what} of shape`)
    }
    const isClass = Number.isSafeInteger(blank) && blank >= 0 && blank < classes
    expectThat(isClass, `a blank from 0 to ${classes - 1}`, blank.toString())
    expectThat(remedies.includes(impossible as 'error'), `impossible to be ${remedies.join(' or ')}`, impossible)
    return [
      { dtype: 'f32', shape: [rows] },
      { dtype: 'f32', shape: logits.shape },
    ]
  },
  vjp: ({ inputs, outputs }, [dloss, dslope]) => {
    if (dslope !== undefined) throw new GraphError('ctc: expected no gradient of its gradient, got one')
    const [[logits], [loss, slope]] = [exactly(inputs, 4), exactly(outputs, 2)]
    if (dloss === undefined) return []
    return [cast(mul(reshape(dloss, [1, loss.shape[0] ?? 1, 1]), slope), logits.dtype)]
  },
})

/** Options of `ctc`. */
export interface CtcOptions {
  /** The class of frames without a label. Default: 0. */
  readonly blank?: number
  /**
   * What it is when a row has fewer frames than its labels need (one each, and one more between two that are alike): an `error` of the run
   * that names the row, or `infinity` as the row's loss and zeros in its gradient. Default: `error`.
   */
  readonly impossible?: 'error' | 'infinity'
}

/**
 * Of each row, -log of the probability of its labels, summed over all ways to spread them over its frames, with blanks around them, each
 * label for one frame or several: logits float [T, N, K] (unnormalised), labels i32 [N, L], their lengths i32 [N] from 0 to L, the rows'
 * frames i32 [N] from 0 to T -> f32 [N]. What lies behind a row's labels and frames is not read. Lengths out of range, and labels that are
 * no class or the blank, are the run-time error ERR_DATA. Gradients of it have no gradient.
 * @throws ShapeError where dtypes or extents do not fit; OstrichError `ERR_OPTION`
 * @see Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks".
 * @example mean(ctc(logits, labels, labelLengths, frameLengths)) // [300, 32, 29], [32, 40], [32], [32] -> []
 */
export function ctc(
  logits: Tensor,
  labels: Tensor<'i32'>,
  labelLengths: Tensor<'i32'>,
  frameLengths: Tensor<'i32'>,
  options: CtcOptions = {},
): Tensor<'f32', [number]> {
  expectOptions<CtcOptions>('ops.ctc', options, { blank: is.whole(0), impossible: is.oneOf(...remedies) })
  const { blank = 0, impossible = 'error' } = options
  const inputs = [logits, labels, labelLengths, frameLengths]
  const [loss]: readonly [Tensor<'f32', [number]>, Tensor] = emit(ctcOp, inputs, { blank, impossible })
  return loss
}
