// The loss of rows of labels that nobody has aligned with the frames of a sequence.
import { expectOptions, is } from '../base/index.js'
import { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { averaged, expectMask } from './averaged.js'

/** Options of `ctcLoss`. */
export interface CtcLossOptions extends ops.CtcOptions {
  /** Rows that count (not 0), u8 [N]. A mean of nothing is 0. Default: all. */
  readonly mask?: Tensor<'u8'>
}

/**
 * Mean over rows of -log of the probability of their labels, by connectionist temporal classification: logits f32 [T, N, K] (unnormalised),
 * labels i32 [N, L], their lengths i32 [N], the rows' frames i32 [N] -> []. A row's loss grows with its labels: it is not divided by their
 * number. Rows that the mask leaves out may hold anything.
 * @throws ShapeError where dtypes or extents do not fit; OstrichError `ERR_OPTION`. Labels that do not fit in their row's frames are ERR_DATA,
 * or by `impossible: 'infinity'` an infinite loss without a gradient.
 * @see Graves et al. 2006, "Connectionist temporal classification".
 * @example nn.ctcLoss(net(frames), labels, labelLengths, frameLengths, { blank: 28 })
 */
export function ctcLoss(
  logits: Tensor<'f32'>,
  labels: Tensor<'i32'>,
  labelLengths: Tensor<'i32'>,
  frameLengths: Tensor<'i32'>,
  options: CtcLossOptions = {},
): Tensor<'f32', []> {
  expectOptions<CtcLossOptions>('nn.ctcLoss', options, {
    blank: is.whole(0),
    impossible: is.oneOf('error', 'infinity'),
    mask: is.instance('a tensor', Tensor),
  })
  const { mask, ...own } = options
  expectMask('ctcLoss', mask, logits.shape.slice(1, 2))
  if (mask === undefined) return averaged('ctcLoss', ops.ctc(logits, labels, labelLengths, frameLengths, own), {})
  // A row without labels and frames has nothing that could be wrong, and no gradient.
  const counted = (lengths: Tensor<'i32'>): Tensor<'i32'> => ops.where(ops.notEqual(mask, 0), lengths, 0)
  return averaged('ctcLoss', ops.ctc(logits, labels, counted(labelLengths), counted(frameLengths), own), { mask })
}
