// Options that must not compile: those that are not known, and those of another type. Checked, never run.
import { nn, openDevice, ops, optim, solvers, train, type Tensor } from '../../lib/index.js'
import { batches, type Dataset, mnist, packedImages } from '../../lib/data/index.js'
import { lenet, mnistLenet } from '../../lib/models/index.js'
import { mnist as recipe } from '../../lib/recipes/index.js'

declare const data: Dataset
declare const x: Tensor<'f32', [number, 4]>
declare const images: Tensor<'f32', [number, 3, number, number]>
declare const model: train.Model
declare const compiler: Parameters<typeof solvers.fgsm>[0]
const net = nn.linear(4, 2)
const shared = { data, loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 0.1 }), batch: 1 }

// @ts-expect-error what is meant: rate
optim.sgd({ rate: 0.1, learningRate: 0.1 })
// @ts-expect-error what is meant: a number
optim.sgd({ rate: '0.1' })
// @ts-expect-error what is meant: rate
optim.adam({ lr: 0.1 })
// @ts-expect-error what is meant: rate
optim.rmsprop({})
// @ts-expect-error what is meant: factor
optim.stepDecay(1, { every: 1, factr: 1 })
// @ts-expect-error what is meant: total
optim.cosine(1, { totals: 1 })
// @ts-expect-error what is meant: kernel
nn.conv2d(1, 1, { kernal: 3 })
// @ts-expect-error what is meant: padding
nn.conv2d(1, 1, { kernel: 3, pad: 1 })
// @ts-expect-error what is meant: bias
nn.linear(1, 1, { biass: true })
// @ts-expect-error what is meant: stride
nn.maxPool2d(2, { strides: 2 })
// @ts-expect-error forgetBias
nn.lstm({ units: 1, forgetbias: 1 })
// @ts-expect-error what is meant: a number
nn.dropout('0.5')
// @ts-expect-error convention
nn.lrn({ convention: 'torch' })
// @ts-expect-error transposeB
ops.matmul(x, x, { transpose: true })
// @ts-expect-error what is meant: keepDims
ops.sum(x, 1, { keepdims: true })
// @ts-expect-error what is meant: padding
ops.conv2d(images, images, { pad: 1 })
// @ts-expect-error arithmetic of JavaScript
export const twice = x * 2
// @ts-expect-error a comparison of JavaScript
export const positive = x > 0
// @ts-expect-error what is meant: epochs
void train.session(net, { ...shared, epoch: 3 })
// @ts-expect-error what is meant: optimizer
void train.session(net, { data, loss: nn.crossEntropy, optimiser: optim.sgd({ rate: 1 }), batch: 1 })
// @ts-expect-error a loss gives a tensor
void train.session(net, { ...shared, loss: () => 1 })
// @ts-expect-error a network gives a tensor, not a promise
void train.session(async (given: Tensor) => Promise.resolve(given), shared)
// @ts-expect-error what is meant: device
void train.load('a', net, { devise: 'cpu' })
// @ts-expect-error what is meant: streams
void model.sampler({ stream: 1 })
// @ts-expect-error what is meant: loss
void model.evaluate({ data })
// @ts-expect-error what is meant: mode
void model.compile(() => ({ x }), {}, { mod: 'train' })
// @ts-expect-error what is meant: threads
void openDevice({ thread: 1 })
// @ts-expect-error what is meant: shuffle
batches(data, { batch: 1, shufle: true })
// @ts-expect-error what is meant: dir
void mnist({ folder: 'a' })
// @ts-expect-error what is meant: workers
void packedImages('a', { worker: 1 })
// @ts-expect-error what is meant: epsilon
void solvers.fgsm(compiler, net, { shape: [1, 2], eps: 1 })
// @ts-expect-error what is meant: hidden
lenet({ ...mnistLenet, hiden: 1 })
// @ts-expect-error what is meant: epochs
recipe.build({ epoch: 1 })
