// A multi-layer perceptron on MNIST: the smallest network that is worth watching. Of the 60,000 training images 5,000 are held
// back and measured after each epoch; the test images are measured once, at the end.
import { mlp, mnistMlp as config } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { mnistSource } from './data-sources.js'
import { chosen, type Recipe } from './recipe.js'

const examples = 55_000

/** Two hidden layers of 512 on MNIST: one-cycle SGD with Nesterov momentum. */
export const mnistMlp: Recipe = {
  name: 'mnist-mlp',
  title: 'A perceptron with two hidden layers reads handwritten digits',
  paper: 'Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors"',
  target: { metric: 'test accuracy', value: 0.98 },
  data: mnistSource,
  build(options = {}) {
    const { epochs = 5, batch = 128, rate = 0.1 } = chosen(options)
    const total = Math.max(10, epochs * Math.floor(examples / batch))
    return {
      net: nn.sequential(nn.flatten(), mlp(config)),
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: optim.oneCycle(rate, { total }), momentum: 0.9, nesterov: true }),
      batch,
      epochs,
      rate,
      example: { dtype: 'u8', shape: [1, 28, 28] },
    }
  },
}
