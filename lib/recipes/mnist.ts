// LeNet on MNIST: one-cycle SGD with momentum, dropout before the last layer. Of the 60,000 training images 5,000 are held back
// and measured after each epoch; the test images are measured once, at the end.
import { lenet } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { mnistSource } from './data-sources.js'
import { chosen, type Recipe } from './recipe.js'

const examples = 55_000

/** LeNet on MNIST: one-cycle SGD with Nesterov momentum, weight decay, dropout. */
export const mnist: Recipe = {
  name: 'mnist',
  title: 'LeNet reads handwritten digits',
  paper: 'LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition"',
  target: { metric: 'test accuracy', value: 0.992 },
  data: mnistSource,
  build(options = {}) {
    const { epochs = 3, batch = 128, rate = 0.1 } = chosen(options)
    const total = Math.max(10, epochs * Math.floor(examples / batch))
    return {
      net: lenet(),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: optim.oneCycle(rate, { total }), momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
      batch,
      epochs,
      rate,
      example: { dtype: 'u8', shape: [1, 28, 28] },
    }
  },
}
