// A translator's training in batches of two lengths that the test kills: node translate.mjs FOLDER [CHECKPOINT]. Says each step on stdout,
// and at its end a hash of all weights and moments.
import { nn, ops, optim, train } from '../../../dist/index.js'
import { PhiloxStream, translationSet, Words } from '../../../dist/data/index.js'
import { attentionTranslator, ownWordLogits } from '../../../dist/models/index.js'
import { toTheEnd } from './to-the-end.mjs'

const [folder, checkpoint] = process.argv.slice(2)
const noise = new PhiloxStream(3, 0, 0)
const line = () => Array.from({ length: 1 + noise.below(12) }, () => 'abcdefgh'[noise.below(8)]).join(' ')
const pairs = { source: Array.from({ length: 180 }, line), target: Array.from({ length: 180 }, line) }
const [source, target] = [Words.of(pairs.source), Words.of(pairs.target)]
const net = attentionTranslator({
  ...{ source: source.size, target: target.size, attention: 'multiplicative', embedding: 6, units: 8 },
  dropout: { embedding: 0.2, reading: 0.2, writing: 0.2 },
})
const session = await train.session(
  (fields) => {
    const mask = ops.sequenceMask(fields.targetLengths, fields.target.shape[0])
    const count = ops.sum(ops.cast(mask, 'f32'))
    const logits = ownWordLogits(net, fields.source, fields.sourceLengths, fields.input, 0.3)
    return { loss: { sum: ops.mul(nn.crossEntropy(logits, fields.target, { mask }), count), count } }
  },
  {
    data: translationSet(pairs, { source, target }),
    optimizer: optim.adam({ rate: 0.01 }),
    batch: 8,
    epochs: 3,
    seed: 11,
    threads: 1,
    device: 'cpu',
    precision: process.env.PRECISION,
    folder,
    checkpointEvery: { steps: 7 },
  },
)
await toTheEnd(session, folder, checkpoint)
