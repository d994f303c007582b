// AlexNet in one tower: the lecture's "60 million parameters" on a single GPU. Krizhevsky 2014, "One weird trick for
// parallelizing convolutional neural networks" (arXiv:1404.5997), in the sizes and with the first values of its published
// configuration (cuda-convnet2, layers-imagenet-1gpu); 224-pixel images, two pixels of padding before the first layer.
// 61,100,840 parameters. To reach, on ImageNet: 42.5 % top-1 and 19.8 % top-5 error, one view.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `alexnetOneTower`. */
export interface AlexnetOneTowerConfig {
  readonly classes: number
  /** Channels behind the five convolutions. */
  readonly channels: readonly [number, number, number, number, number]
  /** Units of the two hidden layers. */
  readonly hidden: readonly [number, number]
  /** Side of the square images. */
  readonly side: number
  /** Rate of dropout behind the hidden layers. */
  readonly dropout: number
  /** Local response normalisation behind the first two convolutions, or none, as in most later copies of the network. */
  readonly normalization: nn.LrnConvention | 'none'
}

/** Knobs of the ImageNet network, without normalisation. */
export const imagenetOneTower: AlexnetOneTowerConfig = {
  classes: 1000,
  channels: [64, 192, 384, 256, 256],
  hidden: [4096, 4096],
  side: 224,
  dropout: 0.5,
  normalization: 'none',
}

const { fill, normal } = nn.init

/** Pixels on a side behind a window of `kernel` with a stride. */
const behind = (side: number, kernel: number, stride: number): number => Math.floor((side - kernel) / stride) + 1

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<AlexnetOneTowerConfig> = {
  classes: one,
  channels: some,
  hidden: some,
  side: one,
  dropout: one,
  normalization: is.needed(is.anything),
}

/**
 * x f32 [N, 3, side, side] -> logits [N, classes].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for images of another size.
 * @example alexnetOneTower({ ...imagenetOneTower, classes: 100 })
 */
export function alexnetOneTower(
  config: AlexnetOneTowerConfig = imagenetOneTower,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('alexnetOneTower', config, schema)
  const { classes, channels, hidden, side, dropout, normalization } = config
  const [c1, c2, c3, c4, c5] = channels
  const last = [3, 3, 3].reduce((extent, kernel) => behind(extent, kernel, 2), behind(side + 4, 11, 4))
  const normalize = (): nn.Step[] => (normalization === 'none' ? [] : [nn.lrn({ convention: normalization })])
  const narrow = { init: normal(0.01) }
  const wide = { init: normal(0.03), kernel: 3, padding: 1 }
  const pool = () => nn.maxPool2d(3, { stride: 2 })
  // Pooling before relu is the published order for conv1 and conv5; they commute, and relu then sees a quarter as much.
  const layers: nn.Step[] = [
    nn.conv2d(3, c1, { ...narrow, kernel: 11, stride: 4, padding: 2 }),
    ...normalize(),
    pool(),
    nn.relu(),
    nn.conv2d(c1, c2, { ...narrow, kernel: 5, padding: 2, biasInit: fill(1) }),
    ...(normalization === 'none' ? [pool(), nn.relu()] : [nn.relu(), ...normalize(), pool()]),
    nn.conv2d(c2, c3, wide),
    nn.relu(),
    nn.conv2d(c3, c4, { ...wide, biasInit: fill(1) }),
    nn.relu(),
    nn.conv2d(c4, c5, wide),
    pool(),
    nn.relu(),
    nn.flatten(),
    nn.linear(c5 * last ** 2, hidden[0], { ...narrow, name: 'fc6', biasInit: fill(1) }),
    nn.relu(),
    nn.dropout(dropout),
    nn.linear(hidden[0], hidden[1], { ...narrow, name: 'fc7', biasInit: fill(1) }),
    nn.relu(),
    nn.dropout(dropout),
    nn.linear(hidden[1], classes, { ...narrow, name: 'fc8', biasInit: fill(-7) }),
  ]
  // Which layers there are is known when run only: they agree by construction.
  return nn.named('alexnet-one-tower', nn.sequential(...layers)) as unknown as nn.Layer<
    nn.Images<3>,
    Tensor<'f32', [number, number]>
  >
}
