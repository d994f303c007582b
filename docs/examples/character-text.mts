// A network that writes: an LSTM learns a text letter by letter, and goes on with what it is given.
import { writeFile } from 'node:fs/promises'
import { nn, optim, train } from 'ostrich'
import { text } from 'ostrich/data'

await writeFile('rhyme.txt', 'the king was in his counting house, counting out his money.\n'.repeat(400))
const rhyme = await text('rhyme.txt', { unit: 'character' })
const { vocabulary } = rhyme.train
const letters = vocabulary.size

const net = nn.sequential(nn.embedding(letters, 16), nn.lstm({ units: 64, carry: true }), nn.linear(64, letters))
const session = await train.session(net, {
  data: rhyme,
  loss: nn.crossEntropy,
  optimizer: optim.adam({ rate: 0.01, clipNorm: 1 }),
  batch: 16,
  window: 30,
  epochs: 4,
})
const end = await session.run()
await session.save('rhyme.safetensors')
await session.dispose()

const model = await train.load('rhyme.safetensors', net)
const sampler = await model.sampler({ streams: 1 })
await sampler.start()
let written = 'the king'
for (const letter of written.slice(0, -1)) await sampler.step(Int32Array.of(vocabulary.numberOf(letter) ?? 0))
let drawn = await sampler.step(Int32Array.of(vocabulary.numberOf('g') ?? 0))
for (let i = 0; i < 52; i++) {
  written += vocabulary.tokens[drawn.tokens[0] ?? 0]
  drawn = await sampler.step(drawn.tokens, { temperature: 0.3 })
}
console.log(written)
await model.dispose()
console.log('accuracy:', end.validation.accuracy)
