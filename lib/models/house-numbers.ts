// One network that reads a whole number off an image: its length and up to five digits, six choices on one vector of features.
// Goodfellow, Bulatov, Ibarz, Arnoud & Shet 2014, "Multi-digit number recognition from Street View imagery using deep convolutional neural
// networks", arXiv:1312.6082, section 5.1: eight convolutions, a locally connected layer and two dense ones, 38,142,809 parameters and
// 627 million multiply-adds an image. To reach, of the paper: 96.03 % of the whole numbers of SVHN.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import type { Tensor } from '../graph/index.js'
import * as nn from '../nn/index.js'
import { add, div, mean, sqrt, square, sub } from '../ops/index.js'
import { NUMBER_LOGITS } from './number-heads.js'

/** Knobs of `houseNumbers`. */
export interface HouseNumbersConfig {
  /** Side of the square images. */
  readonly side: number
  /** How images are prepared: each less its mean, as in the paper, or divided by its deviation, too. */
  readonly images: 'centred' | 'standardised'
  /** Of each convolution. */
  readonly units: readonly number[]
  /** Side of all kernels; odd. */
  readonly kernel: number
  /** Filters of each unit of the first convolution, the largest of which it takes; 1: it is rectified, as the others are. */
  readonly pieces: number
  /** Stride of the pooling of 2 x 2 behind each convolution, 1 or 2; 0: there is none. */
  readonly pools: readonly number[]
  /** Subtractive, behind the pooling; or that of the batch, in front of the rectifier. */
  readonly normalise: 'subtractive' | 'batch'
  /** Units of the locally connected layer; 0: there is none. */
  readonly local: number
  /** Units of the dense layers. */
  readonly hidden: readonly number[]
  /** Rates of dropout behind the layers that have places, and behind the dense ones. */
  readonly dropout: readonly [number, number]
}

/** The paper's network; it does not say how much is dropped, and how its pools of stride 1 keep the size. */
export const streetViewNumbers: HouseNumbersConfig = {
  side: 54,
  images: 'centred',
  units: [48, 64, 128, 160, 192, 192, 192, 192],
  kernel: 5,
  pieces: 3,
  pools: [2, 1, 2, 1, 2, 1, 2, 1],
  normalise: 'subtractive',
  local: 192,
  hidden: [3072, 3072],
  dropout: [0.5, 0.5],
}

/** A network for two CPU cores: 3.6 million parameters, 86 million multiply-adds an image. */
export const smallHouseNumbers: HouseNumbersConfig = {
  side: 54,
  images: 'standardised',
  units: [32, 64, 64, 96, 128, 128],
  kernel: 3,
  pieces: 1,
  pools: [2, 0, 2, 0, 2, 0],
  normalise: 'batch',
  local: 0,
  hidden: [512],
  dropout: [0, 0],
}

const schema: Schema<HouseNumbersConfig> = {
  side: is.needed(is.whole(1)),
  images: is.needed(is.oneOf('centred', 'standardised')),
  units: is.needed(is.numbers),
  kernel: is.needed(is.odd(63)),
  pieces: is.needed(is.whole(1)),
  pools: is.needed(is.numbers),
  normalise: is.needed(is.oneOf('subtractive', 'batch')),
  local: is.needed(is.whole(0)),
  hidden: is.needed(is.numbers),
  dropout: is.needed(is.numbers),
}

/** Added to the variance of an image, so that noise on an empty one stays small: a deviation of 1 / 100 of white. */
const FLOOR = 1e-4

/**
 * x f32 [N, 3, side, side], 0 to 1 -> logits [N, 57]: `numberHeads` says of what.
 * @throws OstrichError `ERR_OPTION`, also for pools that are not as many as the units; ShapeError when traced, for images of another size
 * @example
 * const net = houseNumbers({ ...smallHouseNumbers, hidden: [256] })
 * const costs = numberCosts(net(x), { length, digits, mask })
 */
export function houseNumbers(
  config: HouseNumbersConfig = streetViewNumbers,
): nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>> {
  expectOptions('houseNumbers', config, schema)
  const { side, units, pools, local, hidden, dropout } = config
  if (pools.length !== units.length || !pools.every((stride) => [0, 1, 2].includes(stride))) {
    const expected = `0, 1 or 2 for each of ${units.length} convolutions`
    throw new OstrichError('ERR_OPTION', `houseNumbers[pools]: expected ${expected}, got ${pools.join(', ')}`)
  }
  const [places, dense] = dropout
  const steps: nn.Step[] = [prepared(config.images)]
  let [channels, size] = [3, side]
  for (const [i, width] of units.entries()) {
    steps.push(...convolution(config, i, channels), nn.dropout(places))
    channels = width
    if (pools[i] === 2) size = Math.ceil(size / 2)
  }
  if (local > 0) {
    const { kernel } = config
    steps.push(nn.local2d(channels, local, { size, kernel, padding: (kernel - 1) / 2 }), nn.relu(), nn.dropout(places))
    channels = local
  }
  steps.push(nn.flatten())
  let features = channels * size ** 2
  for (const width of hidden) {
    steps.push(nn.linear(features, width), nn.relu(), nn.dropout(dense))
    features = width
  }
  steps.push(nn.linear(features, NUMBER_LOGITS, { name: 'heads', init: nn.init.glorotUniform }))
  // The number of layers is known when run only: their extents agree by construction.
  const net = nn.named('house-numbers', nn.sequential(...steps)) as unknown
  return net as nn.Layer<nn.Images<3>, Tensor<'f32', [number, number]>>
}

/** Images less their means, over their deviations where these count. */
function prepared(images: HouseNumbersConfig['images']): nn.Step {
  const whole = [1, 2, 3]
  return (x: Tensor<'f32'>): Tensor<'f32'> => {
    const centred: Tensor<'f32'> = sub<'f32', readonly number[], readonly number[]>(
      x,
      mean(x, whole, { keepDims: true }),
    )
    if (images === 'centred') return centred
    const variance = mean(square(centred), whole, { keepDims: true })
    return div<'f32', readonly number[], readonly number[]>(centred, sqrt(add(variance, FLOOR)))
  }
}

/** Convolution i, and what stands between it and the next: the extents of images stay, and a pool of stride 2 halves them, rounded up. */
function convolution(
  { units, kernel, pieces, pools, normalise }: HouseNumbersConfig,
  i: number,
  from: number,
): nn.Step[] {
  const to = units[i]!
  const same = { kernel, padding: (kernel - 1) / 2, ...(normalise === 'batch' && { bias: false }) }
  const many = i === 0 && pieces > 1
  const first = many ? nn.maxout2d(from, to, { ...same, pieces }) : nn.conv2d(from, to, same)
  const stride = pools[i]!
  return [
    first,
    ...(normalise === 'batch' ? [nn.batchNorm(to)] : []),
    ...(many ? [] : [nn.relu()]),
    ...(stride === 0 ? [] : [stride === 1 ? keeping() : nn.maxPool2d(2, { stride, ceil: true })]),
    ...(normalise === 'subtractive' ? [nn.subtractiveNorm({ size: 3 })] : []),
  ] as nn.Step[]
}

/** The largest of each place, its right, lower and diagonal neighbour, where they are. */
const keeping = () => nn.maxPool2d(2, { stride: 1, padding: [0, 0, 1, 1] })
