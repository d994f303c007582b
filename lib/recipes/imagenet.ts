// The lecture's "60 million parameters": both AlexNets on ImageNet (ILSVRC-2012), 90 epochs, as published. The labels of its test
// images are not public: as in the papers the numbers are of the 50,000 validation images, which are measured after each epoch;
// nothing is chosen or stopped by them, as the schedules are fixed.
import { alexnet as grouped, alexnetOneTower as oneTower, imagenetAlexnet, imagenetOneTower } from '../models/index.js'
import * as nn from '../nn/index.js'
import { cast, div, reshape, sub } from '../ops/index.js'
import * as optim from '../optim/index.js'
import { constant, type Tensor } from '../graph/index.js'
import { imagenetSource } from './data-sources.js'
import { measures } from '../train/index.js'
import { chosen, type Recipe } from './recipe.js'

const examples = 1_281_167

/** Mean red, green and blue of ImageNet's training images, 0 to 255. */
const mean = [123.68, 116.78, 103.94]

/** Bytes less their channel's mean, not scaled: the published first values of the weights are for that range. */
function centred(raw: Tensor): Tensor {
  return sub(cast(raw, 'f32'), reshape(constant('f32', [3], mean), [1, 3, 1, 1]))
}

/** Steps of a whole run. */
const stepsOf = (epochs: number, batch: number) => Math.max(1, epochs * Math.floor(examples / batch))

/** The winner of ILSVRC-2012 by Caffe's solver: the rate falls to a tenth after each two ninths of the run. */
export const alexnet: Recipe = {
  name: 'alexnet',
  title: 'AlexNet, two towers, learns ImageNet: 60,965,224 parameters',
  paper:
    'Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks"; numbers of Caffe’s bvlc_alexnet',
  target: { metric: 'validation accuracy', value: 0.57 },
  data: imagenetSource(imagenetAlexnet.side),
  build(options = {}) {
    const { epochs = 90, batch = 128, rate = 0.01 } = chosen(options)
    return {
      net: grouped(),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({
        rate: optim.stepDecay(rate, { every: (stepsOf(epochs, batch) * 2) / 9, factor: 0.1 }),
        momentum: 0.9,
        rateInVelocity: true,
        weightDecay: 5e-4,
        groups: [{ match: '**/b', weightDecay: 0, rateFactor: 2 }],
      }),
      batch,
      epochs,
      rate,
      inputs: { x: centred },
      measures: { accuracy: measures.accuracy, top5: measures.top5 },
      example: { dtype: 'u8', shape: [3, imagenetAlexnet.side, imagenetAlexnet.side] },
    }
  },
}

/**
 * One tower by cuda-convnet2's schedule: weights fall by 250^(1/3) after each quarter of the run, biases start at twice the
 * rate and fall to a tenth of it in the middle.
 */
export const alexnetOneTower: Recipe = {
  name: 'alexnet-one-tower',
  title: 'AlexNet, one tower, learns ImageNet: 61,100,840 parameters',
  paper: 'Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks"',
  target: { metric: 'validation accuracy', value: 0.574 },
  data: imagenetSource(imagenetOneTower.side),
  build(options = {}) {
    const { epochs = 90, batch = 128, rate = 0.01 } = chosen(options)
    const total = stepsOf(epochs, batch)
    const weights = optim.stepDecay(rate, { every: total / 4, factor: 250 ** (-1 / 3) })
    const biases = optim.stepDecay(2 * rate, { every: total / 2, factor: 0.1 })
    return {
      net: oneTower({ ...imagenetOneTower, normalization: 'cuda-convnet2' }),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({
        rate: weights,
        momentum: 0.9,
        rateInVelocity: true,
        weightDecay: 5e-4,
        groups: [{ match: '**/b', weightDecay: 0, rateFactor: (step) => div(biases(step), weights(step)) }],
      }),
      batch,
      epochs,
      rate,
      inputs: { x: centred },
      measures: { accuracy: measures.accuracy, top5: measures.top5 },
      example: { dtype: 'u8', shape: [3, imagenetOneTower.side, imagenetOneTower.side] },
    }
  },
}
