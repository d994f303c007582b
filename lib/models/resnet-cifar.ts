// Residual networks for CIFAR-10: a convolution, three stages of residual blocks of two convolutions, the mean of each channel, one
// fully connected layer; batch normalisation after every convolution, shortcuts without parameters.
// He, Zhang, Ren & Sun 2015, "Deep residual learning for image recognition", section 4.2, shortcuts of option A. With three blocks a
// stage, ResNet-20: 269,722 parameters. To reach, of the paper: 91.25 % test accuracy after 164 epochs.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { avgPool2d, pad } from '../ops/index.js'

/** Knobs of `resnetCifar`. */
export interface ResnetCifarConfig {
  readonly classes: number
  /** Channels of the three stages, none fewer than the one before. */
  readonly channels: readonly [number, number, number]
  /** Residual blocks of each stage: n of the paper, whose networks have 6 n + 2 layers. */
  readonly blocks: number
}

/** Knobs of ResNet-20. */
export const resnet20: ResnetCifarConfig = { classes: 10, channels: [16, 32, 64], blocks: 3 }

const schema: Schema<ResnetCifarConfig> = {
  classes: is.needed(is.number),
  channels: is.needed(is.numbers),
  blocks: is.needed(is.whole(1)),
}

const convolution = <I extends number>(from: I, to: number, stride: number) =>
  nn.conv2d(from, to, { kernel: 3, padding: 1, stride, bias: false, init: nn.init.heNormal })

/** Option A: every other pixel either way, and channels of zeros behind the others. */
const shortcut = (more: number, stride: number) => (x: nn.Images) =>
  pad(avgPool2d(x, 1, { stride }), [0, 0, 0, 0], [0, more, 0, 0])

/** relu(body(x) + shortcut(x)): eq. 1 and 2 of the paper. */
function block(name: string, from: number, to: number, stride: number) {
  const body = nn.sequential(
    convolution(from, to, stride),
    nn.batchNorm(to),
    nn.relu(),
    convolution(to, to, 1),
    nn.batchNorm(to),
  )
  const isSame = stride === 1 && from === to
  return nn.named(name, nn.sequential(nn.residual(body, isSame ? undefined : shortcut(to - from, stride)), nn.relu()))
}

/**
 * x f32 [N, 3, H, W] of deviation 1 -> logits [N, classes]. The stages halve H and W twice.
 * @throws OstrichError `ERR_OPTION`, also for channels that become fewer; ShapeError for extents below 1.
 * @example resnetCifar({ ...resnet20, blocks: 5 }) // ResNet-32
 */
export function resnetCifar(
  config: ResnetCifarConfig = resnet20,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('resnetCifar', config, schema)
  const { classes, channels, blocks } = config
  const [first, second, third] = channels
  if (!(first <= second && second <= third)) {
    throw new OstrichError(
      'ERR_OPTION',
      `resnetCifar[channels]: expected none fewer than before, got ${channels.join(', ')}`,
    )
  }
  const stages = channels.flatMap((to, stage) =>
    Array.from({ length: blocks }, (_, i) => {
      const from = i > 0 ? to : (channels[stage - 1] ?? to)
      return block(`stage${stage + 1}-block${i + 1}`, from, to, i === 0 && stage > 0 ? 2 : 1)
    }),
  )
  return nn.named(
    'resnet-cifar',
    nn.sequential(
      convolution(3, first, 1),
      nn.batchNorm(first),
      nn.relu(),
      nn.sequential(...stages),
      nn.globalAvgPool2d(),
      nn.linear(third, classes),
    ),
  )
}
