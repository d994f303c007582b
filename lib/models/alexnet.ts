// AlexNet as it won ILSVRC-2012: two towers (convolutions in two groups), local response normalisation, overlapping pools.
// Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks"; sizes and first
// values of Caffe's bvlc_alexnet, for 227-pixel images without padding (224 with a stride of 4 does not give 55).
// 60,965,224 parameters. To reach, on ImageNet: 57.1 % top-1 and 80.2 % top-5 accuracy, centre crop.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `alexnet`. */
export interface AlexnetConfig {
  readonly classes: number
  /** Channels behind the five convolutions; the last four are even, in two groups but for the third. */
  readonly channels: readonly [number, number, number, number, number]
  /** Units of the two hidden layers. */
  readonly hidden: readonly [number, number]
  /** Side of the square images. */
  readonly side: number
  /** Rate of dropout behind the hidden layers. */
  readonly dropout: number
  /** Which published form of local response normalisation. */
  readonly normalization: nn.LrnConvention
  /** Bias of conv2, conv4, conv5 and the hidden layers at the start: 0.1 as in Caffe, where the paper's 1 gave a flat loss. */
  readonly bias: number
}

/** Knobs of the ImageNet network. */
export const imagenetAlexnet: AlexnetConfig = {
  classes: 1000,
  channels: [96, 256, 384, 384, 256],
  hidden: [4096, 4096],
  side: 227,
  dropout: 0.5,
  normalization: 'caffe',
  bias: 0.1,
}

const { fill, normal } = nn.init

/** Pixels on a side behind a window of `kernel` with a stride. */
const behind = (side: number, kernel: number, stride: number): number => Math.floor((side - kernel) / stride) + 1

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<AlexnetConfig> = {
  classes: one,
  channels: some,
  hidden: some,
  side: one,
  dropout: one,
  normalization: is.needed(is.anything),
  bias: one,
}

/**
 * x f32 [N, 3, side, side] -> logits [N, classes].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for images of another size.
 * @example alexnet({ ...imagenetAlexnet, normalization: 'paper' })
 */
export function alexnet(
  config: AlexnetConfig = imagenetAlexnet,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('alexnet', config, schema)
  const { classes, channels, hidden, side, dropout, normalization, bias } = config
  const [c1, c2, c3, c4, c5] = channels
  const last = [3, 3, 3].reduce((extent, kernel) => behind(extent, kernel, 2), behind(side, 11, 4))
  const plain = { init: normal(0.01) }
  const raised = { ...plain, biasInit: fill(bias) }
  const square = { kernel: 3, padding: 1 }
  const hiddenOptions = { init: normal(0.005), biasInit: fill(bias) }
  const normalize = () => nn.lrn({ convention: normalization })
  const pool = () => nn.maxPool2d(3, { stride: 2 })
  return nn.named(
    'alexnet',
    nn.sequential(
      nn.conv2d(3, c1, { ...plain, kernel: 11, stride: 4 }),
      nn.relu(),
      normalize(),
      pool(),
      nn.conv2d(c1, c2, { ...raised, kernel: 5, padding: 2, groups: 2 }),
      nn.relu(),
      normalize(),
      pool(),
      nn.conv2d(c2, c3, { ...plain, ...square }),
      nn.relu(),
      nn.conv2d(c3, c4, { ...raised, ...square, groups: 2 }),
      nn.relu(),
      nn.conv2d(c4, c5, { ...raised, ...square, groups: 2 }),
      // Relu and pooling commute; in this order relu sees a quarter as much.
      pool(),
      nn.relu(),
      nn.flatten(),
      nn.linear(c5 * last ** 2, hidden[0], { ...hiddenOptions, name: 'fc6' }),
      nn.relu(),
      nn.dropout(dropout),
      nn.linear(hidden[0], hidden[1], { ...hiddenOptions, name: 'fc7' }),
      nn.relu(),
      nn.dropout(dropout),
      nn.linear(hidden[1], classes, { ...plain, name: 'fc8' }),
    ),
  )
}
