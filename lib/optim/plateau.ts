// A rate that falls where what is monitored becomes no better: PyTorch's ReduceLROnPlateau. The factor on the rate is a variable, so
// that one program serves the whole run and a checkpoint holds it; when it falls is up to who measures.
import { expectOptions, is } from '../base/index.js'
import { constant, read, type Tensor, Variable } from '../graph/index.js'
import { mul } from '../ops/index.js'
import { expectRange } from './ranges.js'

/** Options of a rate that falls on plateaus. */
export interface PlateauOptions {
  /** What the rate is multiplied by at each fall. Between 0 and 1, such as 0.1. */
  readonly factor: number
  /** Epochs in a row that are no better than the best before the rate falls, and again before each further fall. */
  readonly patience: number
}

/** The factor on one optimiser's rate, and what decides when it falls. */
export class Plateau {
  /** f32 []: what the rate is multiplied by, 1 at first. */
  readonly variable = new Variable<'f32', []>({
    label: 'plateau.factor',
    dtype: 'f32',
    shape: [],
    role: 'statistic',
    init: () => constant('f32', [], 1),
  })
  readonly factor: number
  readonly patience: number

  /** @throws OstrichError `ERR_OPTION` */
  constructor(options: PlateauOptions) {
    expectOptions('optim[plateau]', options, { factor: is.needed(is.number), patience: is.needed(is.number) })
    const { factor, patience } = options
    expectRange('plateau', 'factor', factor, 'a number between 0 and 1')
    expectRange('plateau', 'patience', patience, 'a whole number of at least 1')
    this.factor = factor
    this.patience = patience
  }

  /** A rate, f32 [], as it is after the falls so far. */
  fallen(rate: Tensor<'f32', []>): Tensor<'f32', []> {
    return mul(rate, read(this.variable))
  }
}
