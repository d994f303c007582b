// Sequences of several lengths: one word in, one label out for each. Batches are made of about one length, and padding is not learned from.
import { nn, ops, optim, train } from 'ostrich'
import { sequences } from 'ostrich/data'

// Whether a word stands there for the second time in a row.
const vocabulary = 6
const words = Array.from({ length: 400 }, (_, i) =>
  Int32Array.from({ length: 1 + ((7 * i) % 25) }, (_, t) => 1 + ((i * t * t + t + i) % vocabulary)),
)
const again = words.map((own) => own.map((word, t) => (word === own[t - 1] ? 1 : 0)))
const set = sequences({ words, again }, { multiple: 8 })

const embed = nn.embedding(vocabulary + 1, 16)
const reader = nn.gru({ units: 32 })
const choice = nn.linear(32, 2)

await using session = await train.session(
  ({ words, again, lengths }) => {
    const logits = choice(reader.run(embed(words), { lengths }).output)
    const mask = ops.sequenceMask(lengths, words.shape[0]!)
    const real = ops.cast(mask, 'f32')
    const count = ops.sum(real)
    return {
      loss: { sum: ops.mul(nn.crossEntropy(logits, again, { mask }), count), count },
      accuracy: train.measures.accuracy(logits, again, real),
    }
  },
  { data: { train: set, validation: set }, optimizer: optim.adam({ rate: 0.01 }), batch: 16, epochs: 15 },
)
const end = await session.run()
console.log('accuracy:', end.validation.accuracy)
