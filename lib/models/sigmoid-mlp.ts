// Perceptrons with sigmoid hidden layers, as "Intriguing properties of neural networks" (Szegedy et al. 2013, section 4) has them:
// FC10 is softmax regression (no hidden layer), FC100-100-10 has two hidden layers of 100.
// To reach: 92.6 % (FC10) and 98.4 % (FC100-100-10) test accuracy on MNIST; the recipes say what ours reach.
import { expectOptions, is, type Schema } from '../base/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `sigmoidMlp`. */
export interface SigmoidMlpConfig<I extends number = number, K extends number = number> {
  readonly inputs: I
  /** Widths of the hidden layers, first to last. */
  readonly hidden: readonly number[]
  readonly classes: K
  /** First part of its parameters' paths. Default: `fc100-100-10`, from its widths. */
  readonly name?: string
}

/** Knobs of the paper's FC100-100-10. */
export const mnistSigmoidMlp = { inputs: 784, hidden: [100, 100], classes: 10 } as const

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<SigmoidMlpConfig> = {
  inputs: one,
  hidden: some,
  classes: one,
  name: is.text,
}

/** The layers one after the other, so that the later ones can be had alone. */
export function sigmoidMlpLayers(config: SigmoidMlpConfig): readonly nn.Step[] {
  expectOptions('sigmoidMlp', config, schema)
  const { inputs, hidden, classes } = config
  const widths = [inputs, ...hidden]
  const init = nn.init.glorotUniform
  return [
    ...hidden.map((width, i) => nn.sequential(nn.linear(widths[i]!, width, { init }), nn.sigmoid())),
    nn.linear(widths.at(-1)!, classes, { init }),
  ]
}

/**
 * x f32 [..., inputs] -> logits [..., classes].
 * @throws OstrichError `ERR_OPTION`.
 * @example sigmoidMlp({ inputs: 784, hidden: [100, 100], classes: 10 })
 */
export function sigmoidMlp<I extends number, K extends number>(
  config: SigmoidMlpConfig<I, K>,
): nn.Layer<nn.Features<I>, nn.Features<K>> {
  expectOptions<SigmoidMlpConfig>('sigmoidMlp', config, schema)
  const name = config.name ?? `fc${[...config.hidden, config.classes].join('-')}`
  // The number of layers is known when run only: their extents agree by construction.
  return nn.named(name, nn.sequential(...sigmoidMlpLayers(config))) as unknown as nn.Layer<
    nn.Features<I>,
    nn.Features<K>
  >
}
