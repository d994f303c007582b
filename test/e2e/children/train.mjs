// A training process that the test kills: node train.mjs FOLDER [CHECKPOINT]. Says each step on stdout, and at its end a
// hash of all weights and moments.
import { nn, optim, train } from '../../../dist/index.js'
import { arrays, PhiloxStream } from '../../../dist/data/index.js'
import { toTheEnd } from './to-the-end.mjs'

const [folder, checkpoint] = process.argv.slice(2)
const noise = new PhiloxStream(3, 0, 0)
const x = Uint8Array.from({ length: 330 * 64 }, () => noise.below(256))
const target = Int32Array.from({ length: 330 }, () => noise.below(5))
const net = nn.sequential(
  nn.conv2d(1, 4, { kernel: 3, padding: 1 }),
  nn.relu(),
  nn.maxPool2d(2),
  nn.flatten(),
  nn.linear(64, 16),
  nn.relu(),
  nn.dropout(0.3),
  nn.linear(16, 5),
)
const session = await train.session(net, {
  data: arrays({ x: { data: x, shape: [1, 8, 8] }, target }),
  loss: nn.crossEntropy,
  optimizer: optim.adam({ rate: optim.oneCycle(0.01, { total: 60 }) }),
  batch: 16,
  epochs: 3,
  seed: 11,
  threads: 1,
  device: 'cpu',
  precision: process.env.PRECISION,
  folder,
  checkpointEvery: { steps: 7 },
})
await toTheEnd(session, folder, checkpoint)
