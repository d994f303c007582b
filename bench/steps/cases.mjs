// What is measured: whole training steps on random data, the same networks as in bench/peers/torch_steps.py.
import { models, nn, ops, optim } from './library.mjs'

const momentum = () => optim.sgd({ rate: 0.01, momentum: 0.9 })

/** With dropout, momentum and weight decay, as it is trained. */
const alexnet = (batch, net, side) => ({
  batch,
  shape: [3, side, side],
  net,
  loss: nn.crossEntropy,
  optimizer: () => optim.sgd({ rate: 0.001, momentum: 0.9, weightDecay: 5e-4 }),
  classes: 1000,
})

/** Networks for CIFAR-10, as they are trained but for the schedule. */
const cifar = (net, side) => ({
  batch: 128,
  shape: [3, side, side],
  net,
  loss: nn.crossEntropy,
  optimizer: () => optim.sgd({ rate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
  classes: 10,
})

const inBatches = (name, net, side) =>
  Object.fromEntries([64, 128, 256, 512, 1024].map((batch) => [`${name}-${batch}`, alexnet(batch, net, side)]))

/** Penn Treebank's networks and schedules: 20 streams of `steps` words, the loss summed over time, the norm clipped. */
const words = (size, steps, limit) => ({
  batch: steps,
  shape: [20],
  vocabulary: 10000,
  net: () => models.lstmLm(models.ptbLstm[size]),
  loss: (logits, labels) => ops.mul(nn.crossEntropy(logits, labels), steps),
  optimizer: () => optim.sgd({ rate: 1, clipNorm: limit }),
  classes: 10000,
})

/** Layers one behind the other, and a small classifier of what they give, so that theirs is nearly all of the time. */
const layers = (batch, shape, features, pool, make) => ({
  batch,
  shape,
  net: () => nn.sequential(...make(), pool, nn.linear(features, 10)),
  loss: nn.crossEntropy,
  optimizer: momentum,
  classes: 10,
})
const overTime = (x) => ops.mean(x, 1)

/** By name; the number at the end of a name is its batch, where there are several. */
export const cases = {
  mlp: {
    batch: 128,
    shape: [784],
    net: () => models.mlp({ inputs: 784, hidden: [512, 512], classes: 10 }),
    loss: nn.crossEntropy,
    optimizer: momentum,
    classes: 10,
  },
  lenet: {
    batch: 128,
    shape: [1, 28, 28],
    net: () => models.lenet({ ...models.mnistLenet, dropout: 0 }),
    loss: nn.crossEntropy,
    optimizer: momentum,
    classes: 10,
  },
  'cifar-convnet': cifar(() => models.cifarConvnet(), 32),
  'cifar-local': cifar(() => models.cifarLocal(), 24),
  'cifar-resnet': cifar(() => models.resnetCifar(), 32),
  'batch-norm': layers(128, [64, 32, 32], 64, nn.globalAvgPool2d(), () =>
    [1, 2, 3, 4].flatMap(() => [nn.batchNorm(64), nn.relu()]),
  ),
  'layer-norm': layers(64, [128, 512], 512, overTime, () => [1, 2, 3, 4].map(() => nn.layerNorm(512))),
  attention: layers(16, [256, 512], 512, overTime, () => [1, 2].map(() => nn.multiHeadAttention(512, 8))),
  'attention-causal': layers(16, [256, 512], 512, overTime, () =>
    [1, 2].map(() => nn.multiHeadAttention(512, 8, { causal: true })),
  ),
  'ptb-small': words('small', 20, 5),
  'ptb-medium': words('medium', 35, 5),
  'ptb-large': words('large', 35, 10),
  ...inBatches('alexnet-one-tower', () => models.alexnetOneTower(), 224),
  ...inBatches('alexnet', () => models.alexnet(), 227),
}

/** Multiply-adds of a whole step: forward, gradient of every weight, gradient of every input but the network's own. */
export function multiplyAdds({ net, batch, shape, vocabulary }) {
  const x = { x: [batch, ...shape], dtype: vocabulary === undefined ? 'f32' : 'i32' }
  const { rows, multiplyAdds: forward } = nn.summary(net(), x)
  // Words are looked up in a table that is trained: the first product has a gradient of its input.
  const first = vocabulary === undefined ? (rows.find((row) => row.multiplyAdds > 0)?.multiplyAdds ?? 0) : 0
  return 3 * forward - first
}
