// cuda-convnet's small network for CIFAR-10, of its "18 %" configuration (layers-18pct.cfg): three convolutions of 5x5, pools of
// 3x3 that overlap (the last window may reach beyond the image), normalisation within channels, one fully connected layer.
// Krizhevsky 2012, cuda-convnet; He's first values in place of its hand-tuned ones. 89,578 parameters.
// To reach: 18 % error without varied images in its own schedule; the recipe says what ours reaches.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `cifarConvnet`. */
export interface CifarConvnetConfig {
  readonly classes: number
  /** Channels behind the three convolutions. */
  readonly channels: readonly [number, number, number]
  /** Side of the square images. */
  readonly side: number
}

/** Knobs of the CIFAR-10 network. */
export const cifar10Convnet: CifarConvnetConfig = { classes: 10, channels: [32, 32, 64], side: 32 }

/** Pixels on a side behind a pool of 3 with stride 2 whose last window may reach beyond the end. */
const pooled = (side: number): number => Math.ceil((side - 3) / 2) + 1

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<CifarConvnetConfig> = {
  classes: one,
  channels: some,
  side: one,
}

/**
 * x f32 [N, 3, side, side] of deviation 1 -> logits [N, classes].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for images of another size.
 * @example cifarConvnet()
 */
export function cifarConvnet(
  config: CifarConvnetConfig = cifar10Convnet,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('cifarConvnet', config, schema)
  const { classes, channels, side } = config
  const [c1, c2, c3] = channels
  const wide = { kernel: 5, padding: 2 }
  const half = { stride: 2, ceil: true }
  // cuda-convnet, before its second version, divides and adds 1 as Caffe does. Its 5e-5 is for images of bytes; here they are
  // expected to be some 64 times smaller, and alpha is of their squares.
  const normalize = () => nn.lrn({ convention: 'caffe', region: 'within', size: 3, alpha: 5e-5 * 64 ** 2 })
  return nn.named(
    'cifar-convnet',
    nn.sequential(
      nn.conv2d(3, c1, wide),
      nn.maxPool2d(3, half),
      nn.relu(),
      normalize(),
      nn.conv2d(c1, c2, wide),
      nn.relu(),
      nn.avgPool2d(3, half),
      normalize(),
      nn.conv2d(c2, c3, wide),
      nn.relu(),
      nn.avgPool2d(3, half),
      nn.flatten(),
      nn.linear(c3 * pooled(pooled(pooled(side))) ** 2, classes),
    ),
  )
}
