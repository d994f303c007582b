// CIFAR-10 by cuda-convnet's two networks, with a schedule of our own that fits into minutes instead of hours. As its published
// numbers, these are of networks that were trained on all 50,000 training images: none are held back, so only the training loss is
// seen while a run lasts, and the test images are measured once, at its end.
import { type AugmentOptions, cifar10 as images } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import { cifarConvnet, cifarLocal } from '../models/index.js'
import * as nn from '../nn/index.js'
import { cast, div, sub } from '../ops/index.js'
import * as optim from '../optim/index.js'
import { cifar10Source } from './data-sources.js'
import { chosen, type DataSource, type Recipe } from './recipe.js'

const examples = 50_000

/** Bytes to about [-2, 2]: the mean level and deviation of the training images. */
export const scaledImages = (raw: Tensor): Tensor => div(sub(cast(raw, 'f32'), 120.7), 64.2)

/** All of CIFAR-10, its training images varied, the others cut in their middle. */
export function variedCifar10(augment: AugmentOptions): DataSource {
  return {
    ...cifar10Source,
    load: ({ dir, views } = {}) =>
      images({ augment, validation: 0, ...(dir !== undefined && { dir }), ...(views !== undefined && { views }) }),
  }
}

/** Steps of a run. */
export const cifar10Steps = (epochs: number, batch: number): number =>
  Math.max(10, epochs * Math.floor(examples / batch))

const schedule = (rate: number, epochs: number, batch: number) =>
  optim.oneCycle(rate, { total: cifar10Steps(epochs, batch) })

/** The "18 %" network in some minutes: shifted and mirrored images, one-cycle SGD with Nesterov momentum. */
export const cifar10: Recipe = {
  name: 'cifar10',
  title: 'A small convolutional network sorts photographs into ten kinds of things',
  paper: 'Krizhevsky 2012, cuda-convnet, layers-18pct',
  target: { metric: 'test accuracy', value: 0.82 },
  data: variedCifar10({ pad: 2, mirror: true }),
  build(options = {}) {
    const { epochs = 44, batch = 128, rate = 0.07 } = chosen(options)
    return {
      net: cifarConvnet(),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: schedule(rate, epochs, batch), momentum: 0.9, nesterov: true, weightDecay: 7e-4 }),
      batch,
      epochs,
      rate,
      inputs: { x: scaledImages },
      example: { dtype: 'u8', shape: [3, 32, 32] },
    }
  },
}

/** The "11 %" network with locally connected layers: random windows of 24 pixels, mirrored. */
export const cifar10Local: Recipe = {
  name: 'cifar10-local',
  title: 'Locally connected layers sort photographs into ten kinds of things',
  paper: 'Krizhevsky 2012, cuda-convnet, layers-conv-local-11pct',
  target: { metric: 'test accuracy', value: 0.86, views: 10 },
  data: variedCifar10({ crop: 24, mirror: true }),
  build(options = {}) {
    const { epochs = 150, batch = 128, rate = 0.05 } = chosen(options)
    return {
      net: cifarLocal(),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: schedule(rate, epochs, batch), momentum: 0.9, nesterov: true, weightDecay: 7e-4 }),
      batch,
      epochs,
      rate,
      inputs: { x: scaledImages },
      example: { dtype: 'u8', shape: [3, 24, 24] },
    }
  },
}
