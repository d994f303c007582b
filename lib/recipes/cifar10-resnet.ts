// CIFAR-10 by ResNet-20: a residual network with batch normalisation, its images shifted and mirrored as in its paper, in a schedule
// of our own of 105 epochs, where the paper has 164. What is not the paper's makes up for the missing ones: the rate rises to twice as
// much and falls in one cycle instead of by steps, momentum is Nesterov's, labels are smoothed (Szegedy et al. 2016), and weights decay by
// 5e-4 instead of 1e-4, those of batch normalisation not at all; beyond the edge of a shifted image lies its mirror image. As in the paper's result, all 50,000 training images are trained on;
// the test images are measured once, at the end, over ten views of each.
import type { Tensor } from '../graph/index.js'
import { resnetCifar } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { cifar10Steps, scaledImages, variedCifar10 } from './cifar10.js'
import { chosen, type Recipe } from './recipe.js'

/** ResNet-20 on CIFAR-10. */
export const cifar10Resnet: Recipe = {
  name: 'cifar10-resnet',
  title: 'A residual network sorts photographs into ten kinds of things',
  paper: 'He, Zhang, Ren & Sun 2015, "Deep residual learning for image recognition", ResNet-20',
  target: { metric: 'test accuracy', value: 0.9, views: 10 },
  data: variedCifar10({ pad: 4, border: 'mirrored', mirror: true }),
  build(options = {}) {
    const { epochs = 100, batch = 128, rate = 0.2 } = chosen(options)
    return {
      net: resnetCifar(),
      loss: (logits: Tensor<'f32'>, labels: Tensor<'i32'>) => nn.crossEntropy(logits, labels, { smoothing: 0.1 }),
      optimizer: optim.sgd({
        rate: optim.oneCycle(rate, { total: cifar10Steps(epochs, batch), rise: 0.2 }),
        momentum: 0.9,
        nesterov: true,
        weightDecay: 5e-4,
        groups: [{ match: '**/batchNorm*/*', weightDecay: 0 }],
      }),
      batch,
      epochs,
      rate,
      inputs: { x: scaledImages },
      example: { dtype: 'u8', shape: [3, 32, 32] },
    }
  },
}
