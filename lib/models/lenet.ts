// LeNet in the lecture's form, for MNIST digits: two convolutions with pooling, one wide hidden layer, logits at the end.
// After LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".
// To reach: 99.2 % test accuracy (the recipe says how).
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `lenet`. */
export interface LenetConfig {
  readonly classes: number
  /** Channels behind the two convolutions. */
  readonly channels: readonly [number, number]
  /** Side of the square images, divisible by 4. */
  readonly side: number
  /** Units of the hidden layer. */
  readonly hidden: number
  /** Rate of dropout behind the hidden layer. */
  readonly dropout: number
}

/** Knobs of the MNIST network. */
export const mnistLenet: LenetConfig = { classes: 10, channels: [32, 64], side: 28, hidden: 1024, dropout: 0.5 }

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<LenetConfig> = {
  classes: one,
  channels: some,
  side: one,
  hidden: one,
  dropout: one,
}

/**
 * x f32 [N, 1, side, side] -> logits [N, classes].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for images of another size.
 * @example lenet()
 */
export function lenet(config: LenetConfig = mnistLenet): nn.Layer<nn.Images<1>, Tensor<'f32', [number, number]>> {
  expectOptions('lenet', config, schema)
  const { classes, channels, side, hidden, dropout } = config
  const [first, second] = channels
  return nn.named(
    'lenet',
    nn.sequential(
      nn.conv2d(1, first, { kernel: 5, padding: 2 }),
      nn.relu(),
      nn.maxPool2d(2),
      nn.conv2d(first, second, { kernel: 5, padding: 2 }),
      nn.relu(),
      nn.maxPool2d(2),
      nn.flatten(),
      nn.linear(second * (side / 4) ** 2, hidden),
      nn.relu(),
      nn.dropout(dropout),
      nn.linear(hidden, classes),
    ),
  )
}
