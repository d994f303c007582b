// Whole training steps of small networks as a session traces them: network, loss, gradients, optimiser, all drawn by a seed.
import type { Fields } from '../../../lib/data/index.js'
import * as models from '../../../lib/models/index.js'
import { type Graph, trace } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as optim from '../../../lib/optim/index.js'
import { supervised } from '../../../lib/train/objective.js'
import type { Programs } from '../../../lib/train/programs.js'
import type { Network } from '../../../lib/train/types.js'
import { Trainer } from '../../../lib/train/trainer.js'
import { generator } from '../../support/random.js'

const [tokens, steps, batch] = [10, 3, 2]

type Optimizer = optim.Optimizer

const text: Fields = {
  x: { dtype: 'i32', shape: [steps], batchAxis: 1 },
  target: { dtype: 'i32', shape: [steps], batchAxis: 1 },
  fresh: { dtype: 'f32', shape: [] },
}
const images: Fields = { x: { dtype: 'f32', shape: [1, 6, 6] }, target: { dtype: 'i32', shape: [] } }

/** Networks by name; each call makes a new one. */
const networks: Readonly<Record<string, { readonly net: () => unknown; readonly fields: Fields }>> = {
  lstm: {
    net: () => models.lstmLm({ vocabulary: tokens, features: 4, units: 3, layers: 2, dropout: 0.25 }),
    fields: text,
  },
  tied: {
    net: () => {
      const drop = { words: 0.25, input: 0.25, hidden: 0.25, output: 0.25, weights: 0.25 }
      return models.awdLstm({ vocabulary: tokens, features: 4, units: 3, layers: 2, drop })
    },
    fields: text,
  },
  gru: {
    net: () => nn.sequential(nn.embedding(tokens, 4), nn.gru({ units: 3 }) as never, nn.linear(3, tokens) as never),
    fields: text,
  },
  rnn: {
    net: () =>
      nn.sequential(
        nn.embedding(tokens, 4),
        nn.rnn({ units: 3, reverse: true }) as never,
        nn.linear(3, tokens) as never,
      ),
    fields: text,
  },
  convolutional: {
    net: () =>
      nn.sequential(
        nn.conv2d(1, 3, { kernel: 3, padding: 1 }),
        nn.relu(),
        nn.maxPool2d(2),
        nn.dropout(0.25),
        nn.flatten(),
        nn.linear(27, 5),
        nn.tanh(),
        nn.linear(5, tokens),
      ),
    fields: images,
  },
}

/** Names of the networks. */
export const kinds = Object.keys(networks)

function drawOptimizer(draw: () => number): Optimizer {
  const often = (share: number) => draw() < share
  const shared = {
    rate: often(0.5) ? 0.01 : optim.cosine(0.01, { total: 100 }),
    ...(often(0.7) && { clipNorm: 0.25 }),
    ...(often(0.5) && { weightDecay: 0.01 }),
    ...(often(0.5) && { average: often(0.5) ? {} : { decay: 0.9 } }),
    ...(often(0.3) && { accumulate: 2 }),
    ...(often(0.3) && { groups: [{ match: '**/w', maxNorm: 0.5, rateFactor: 2 }] }),
    ...(often(0.3) && { decay: 'decoupled' as const }),
  }
  const rules = [
    () => optim.sgd(shared),
    () => optim.sgd({ ...shared, momentum: 0.9, nesterov: often(0.5) }),
    () => optim.rmsprop(shared),
    () => optim.adam(shared),
    () => optim.adagrad(shared),
  ]
  return rules[Math.floor(draw() * rules.length)]!()
}

/** The graph of one training step of a network, with an optimiser that the seed draws. */
export async function learner(kind: string, seed: number): Promise<Graph> {
  const { net, fields } = networks[kind]!
  let graph: Graph | undefined
  const programs = {
    build: (options: { readonly name: string; readonly mode: 'train' | 'eval' }, body: () => never) => {
      graph = trace({ name: options.name, mode: options.mode }, body)
      return Promise.resolve({})
    },
  }
  await Trainer.create(programs as unknown as Programs, {
    task: { objective: supervised(net() as Network, nn.crossEntropy), inputs: {} },
    shapes: [{ rows: batch, steps: undefined, fields }],
    optimizer: drawOptimizer(generator(seed)),
    precision: 'bf16',
  })
  return graph!
}
