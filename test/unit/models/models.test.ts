// The networks: extents, paths, and a gradient for every parameter.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, type Graph, printGraph, read, type Shape, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import {
  alexnet,
  alexnetOneTower,
  imagenetAlexnet,
  imagenetOneTower,
  lenet,
  maxoutNetwork,
  mlp,
  mnistMlp,
  mnistSigmoidMlp,
  mnistSparseAutoencoder,
  resnet20,
  resnetCifar,
  sigmoidMlp,
  sparseAutoencoder,
} from '../../../lib/models/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as optim from '../../../lib/optim/index.js'
import { step } from '../../../lib/ops/index.js'

interface Network {
  readonly parameters: nn.LayerInfo['parameters']
  (x: Tensor): Tensor
}

/** A whole training step of a classifier. */
function training(net: Network, shape: Shape): Graph {
  const optimizer = optim.sgd({ rate: 0.1, momentum: 0.9 })
  return trace({ name: 'train', mode: 'train' }, () => {
    const logits = net(feed('x', 'f32', shape)) as Tensor<'f32'>
    const loss = nn.crossEntropy(logits, feed('labels', 'i32', [shape[0] ?? 1]))
    const gradients = grad(
      loss,
      net.parameters.map((parameter) => read(parameter)),
    )
    optimizer.update(
      net.parameters.map((variable, i) => ({ variable, gradient: gradients[i]! })),
      read(step),
    )
    return { loss, logits }
  })
}

const small = { channels: [8, 8, 12, 8, 8], hidden: [16, 12], classes: 10, side: 67 } as const
const alexnetPaths = ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8'].flatMap((layer) => [
  `${layer}/w`,
  `${layer}/b`,
])

const networks: readonly [string, () => Network, Shape, readonly string[]][] = [
  [
    'mlp',
    () => mlp({ ...mnistMlp, dropout: 0.2 }),
    [4, 784],
    ['linear1/w', 'linear1/b', 'linear2/w', 'linear2/b', 'linear3/w', 'linear3/b'],
  ],
  [
    'lenet',
    () => lenet(),
    [4, 1, 28, 28],
    ['conv1/w', 'conv1/b', 'conv2/w', 'conv2/b', 'linear1/w', 'linear1/b', 'linear2/w', 'linear2/b'],
  ],
  [
    'fc100-100-10',
    () => sigmoidMlp(mnistSigmoidMlp),
    [4, 784],
    ['linear1/w', 'linear1/b', 'linear2/w', 'linear2/b', 'linear3/w', 'linear3/b'],
  ],
  [
    'maxout',
    () => maxoutNetwork(),
    [4, 784],
    ['maxout1/pieces/w', 'maxout1/pieces/b', 'maxout2/pieces/w', 'maxout2/pieces/b', 'linear1/w', 'linear1/b'],
  ],
  ['alexnet', () => alexnet({ ...imagenetAlexnet, ...small }), [4, 3, 67, 67], alexnetPaths],
  ['alexnet-one-tower', () => alexnetOneTower({ ...imagenetOneTower, ...small }), [4, 3, 67, 67], alexnetPaths],
]

describe.each(networks)('%s', (name, make, shape, parameters) => {
  test('logits and paths', () => {
    const graph = training(make(), shape)
    verify(graph)
    expect(graph.fetches[1]!.tensor.shape).toEqual([4, 10])
    const trained = graph.states.filter(({ variable }) => variable.role === 'parameter')
    expect(trained.map((state) => state.name)).toEqual(parameters.map((path) => `${name}/${path}`))
  })

  test('every parameter has a gradient that depends on the loss', () => {
    const { assigns } = training(make(), shape)
    expect(assigns).toHaveLength(2 * parameters.length)
    for (const { value } of assigns) expect(value.node.op.name).not.toBe('constant')
  })

  test('traces of two instances print the same', () => {
    expect(printGraph(training(make(), shape))).toBe(printGraph(training(make(), shape)))
  })
})

test('labels do not shape the code of a sparse autoencoder, nor its images the classifier', () => {
  const { net, loss } = sparseAutoencoder({ ...mnistSparseAutoencoder, inputs: 6, code: 4, classes: 3 })
  const of = (cost: (x: Tensor<'f32'>, labels: Tensor<'i32'>) => Tensor<'f32', []>) =>
    trace({ name: 'ae', mode: 'train' }, () => {
      const x = feed('x', 'f32', [2, 6])
      const logits = (net as unknown as Network)(x)
      const value = cost(x, feed('labels', 'i32', [2]))
      expect(logits.node.path).toBe('ae/classifier')
      const parameters = net.parameters.map((parameter) => read(parameter))
      return Object.fromEntries(grad(value, parameters).map((slope, i) => [parameters[i]!.node.path, slope]))
    })
  const flat = (graph: Graph) =>
    graph.fetches.flatMap(({ name, tensor }) => (tensor.node.op.name === 'constant' ? [name] : []))
  expect(flat(of((x, labels) => loss(x, labels).loss))).toEqual([])
  const byLabels = flat(of((x, labels) => nn.crossEntropy((net as unknown as Network)(x) as Tensor<'f32'>, labels)))
  expect(byLabels).toEqual(['ae/encoder/w', 'ae/encoder/b', 'ae/decoder/w', 'ae/decoder/b'])
})

test('images of another size are refused when traced', () => {
  const net = lenet() as unknown as Network
  expect(() => training(net, [4, 1, 32, 32])).toThrow(
    'linear[lenet/linear1]: expected x of f32[..., 3136], got f32[4, 4096]',
  )
})

describe('the published totals of AlexNet', () => {
  test.each([
    ['two towers', alexnet() as nn.Step, 227, 60_965_224, 724_406_816, 665_784_864],
    ['one tower', alexnetOneTower() as nn.Step, 224, 61_100_840, 714_188_480, 655_566_528],
  ])('%s', (_, net, side, parameters, multiplyAdds, ofConvolutions) => {
    const made = nn.summary(net, { x: [1, 3, side, side] })
    expect(made).toMatchObject({ parameters, multiplyAdds })
    const convolutions = made.rows.filter(({ kind }) => kind === 'conv')
    expect(convolutions.reduce((sum, row) => sum + row.multiplyAdds, 0)).toBe(ofConvolutions)
  })

  test('normalisation in one tower follows the published order', () => {
    const net = alexnetOneTower({ ...imagenetOneTower, normalization: 'cuda-convnet2' })
    const { rows, parameters } = nn.summary(net, { x: [1, 3, 224, 224] })
    expect(parameters).toBe(61_100_840)
    const order = rows.slice(0, 8).map(({ path }) => path.replace('alexnet-one-tower/', ''))
    expect(order).toEqual(['conv1', 'lrn1', 'pool1', 'relu1', 'conv2', 'relu2', 'lrn2', 'pool2'])
  })
})

describe('residual networks for CIFAR-10', () => {
  // He et al. 2015, table 6: 0.27, 0.46, 0.66 and 0.85 million.
  test.each([
    [3, 269_722],
    [5, 464_154],
    [7, 658_586],
    [9, 853_018],
  ])('%i blocks a stage have the published size', (blocks, parameters) => {
    const { rows, ...totals } = nn.summary(resnetCifar({ ...resnet20, blocks }), { x: [1, 3, 32, 32] })
    expect(totals.parameters).toBe(parameters)
    expect(rows.filter(({ kind }) => kind === 'conv')).toHaveLength(6 * blocks + 1)
    expect(rows.filter(({ kind }) => kind === 'batchNorm')).toHaveLength(6 * blocks + 1)
  })

  test('stages halve the images, and every parameter has a gradient', () => {
    const net = resnetCifar({ classes: 4, channels: [4, 8, 8], blocks: 2 })
    const graph = training(net, [4, 3, 12, 12])
    verify(graph)
    expect(graph.fetches[1]!.tensor.shape).toEqual([4, 4])
    const convolutions = graph.nodes.filter(({ op }) => op.name === 'conv2d').map(({ outputs: [y] }) => y!.shape[2])
    expect(convolutions).toEqual([12, 12, 12, 12, 12, 6, 6, 6, 6, 3, 3, 3, 3])
    const slopes = graph.assigns.filter(({ state }) => state.node.path.endsWith('.momentum'))
    expect(slopes).toHaveLength(net.parameters.length)
    for (const { value } of slopes) expect(value.node.op.name).not.toBe('constant')
  })

  test('channels that become fewer are refused', () => {
    expect(() => resnetCifar({ ...resnet20, channels: [16, 8, 64] })).toThrow(
      'resnetCifar[channels]: expected none fewer than before, got 16, 8, 64',
    )
  })
})
