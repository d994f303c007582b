// A language model's training that the test kills: node language.mjs FOLDER [CHECKPOINT]. Says each step on stdout, and at its end
// a hash of all weights, moments and carried states.
import { nn, optim, train } from '../../../dist/index.js'
import { PhiloxStream, Vocabulary } from '../../../dist/data/index.js'
import { lstmLm } from '../../../dist/models/index.js'
import { toTheEnd } from './to-the-end.mjs'

const [folder, checkpoint] = process.argv.slice(2)
const noise = new PhiloxStream(3, 0, 0)
const tokens = Int32Array.from({ length: 700 }, () => noise.below(9))
const session = await train.session(lstmLm({ vocabulary: 9, units: 16, layers: 2, dropout: 0.3, init: 0.1 }), {
  data: { tokens, vocabulary: new Vocabulary({ unit: 'character', tokens: Array.from('abcdefghi') }) },
  loss: nn.crossEntropy,
  overTime: 'sum',
  optimizer: optim.sgd({ rate: optim.stepDecay(0.5, { every: 20, factor: 0.5 }), clipNorm: 5 }),
  batch: 5,
  window: 6,
  epochs: 3,
  seed: 11,
  threads: 1,
  device: 'cpu',
  precision: process.env.PRECISION,
  folder,
  checkpointEvery: { steps: 7 },
})
await toTheEnd(session, folder, checkpoint)
