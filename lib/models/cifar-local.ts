// cuda-convnet's larger network for CIFAR-10, of its "11 %" configuration (layers-conv-local-11pct.cfg): two convolutions with
// normalisation across channels, then two layers whose windows share no weights; for random windows of 24 pixels.
// Krizhevsky 2012, cuda-convnet; He's first values in place of its hand-tuned ones. 2,112,970 parameters.
// To reach: 11 % error over ten views after 520 epochs; the recipe says what ours reaches.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'

/** Knobs of `cifarLocal`. */
export interface CifarLocalConfig {
  readonly classes: number
  /** Channels behind the two convolutions, then behind the two locally connected layers. */
  readonly channels: readonly [number, number, number, number]
  /** Side of the square images. */
  readonly side: number
}

/** Knobs of the CIFAR-10 network. */
export const cifar10Local: CifarLocalConfig = { classes: 10, channels: [64, 64, 64, 32], side: 24 }

/** Pixels on a side behind a pool of 3 with stride 2 whose last window may reach beyond the end. */
const pooled = (side: number): number => Math.ceil((side - 3) / 2) + 1

const one = is.needed(is.number)
const some = is.needed(is.numbers)
const schema: Schema<CifarLocalConfig> = {
  classes: one,
  channels: some,
  side: one,
}

/**
 * x f32 [N, 3, side, side] -> logits [N, classes].
 * @throws OstrichError `ERR_OPTION`; ShapeError when traced, for images of another size.
 * @example cifarLocal()
 */
export function cifarLocal(
  config: CifarLocalConfig = cifar10Local,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('cifarLocal', config, schema)
  const { classes, channels, side } = config
  const [c1, c2, l1, l2] = channels
  const last = pooled(pooled(side))
  const wide = { kernel: 5, padding: 2 }
  const narrow = { size: last, kernel: 3, padding: 1 }
  // cuda-convnet, before its second version, divides and adds 1 as Caffe does. Its 1e-3 is for images of bytes; on images that are
  // 64 times smaller it changes little, and what does the same there learns more slowly (74.9 in place of 76.5 % in 10 epochs).
  const normalize = () => nn.lrn({ convention: 'caffe', size: 9, alpha: 1e-3 })
  const pool = () => nn.maxPool2d(3, { stride: 2, ceil: true })
  return nn.named(
    'cifar-local',
    nn.sequential(
      nn.conv2d(3, c1, wide),
      nn.relu(),
      pool(),
      normalize(),
      nn.conv2d(c1, c2, wide),
      nn.relu(),
      normalize(),
      pool(),
      nn.local2d(c2, l1, narrow),
      nn.relu(),
      nn.local2d(l1, l2, narrow),
      nn.relu(),
      nn.flatten(),
      nn.linear(l2 * last ** 2, classes),
    ),
  )
}
