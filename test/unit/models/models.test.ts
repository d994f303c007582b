// The networks: extents, paths, and a gradient for every parameter.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, type Graph, printGraph, read, type Shape, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import { lenet, mlp, mnistMlp } from '../../../lib/models/index.js'
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

test('images of another size are refused when traced', () => {
  const net = lenet() as unknown as Network
  expect(() => training(net, [4, 1, 32, 32])).toThrow(
    'linear[lenet/linear1]: expected x of f32[..., 3136], got f32[4, 4096]',
  )
})
