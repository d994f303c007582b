// Two inputs, two answers: what kind of thing it is, and what it weighs, from a picture and a height. The weight of every other one is not known.
import { nn, ops, optim, train } from 'ostrich'
import { arrays } from 'ostrich/data'

const rows = 600
const kind = Int32Array.from({ length: rows }, (_, i) => i % 3)
const picture = Float32Array.from(
  { length: rows * 9 },
  (_, k) => Math.sin(k) / 4 + (k % 3 === Math.floor(k / 9) % 3 ? 1 : 0),
)
const height = Float32Array.from({ length: rows }, (_, i) => Math.cos(i))
const weighed = Float32Array.from({ length: rows }, (_, i) => i % 2)
const weight = height.map((tall, i) => (weighed[i] === 1 ? tall + kind[i]! : 1e4)) // must not be learned from
const set = arrays({
  picture: { data: picture, shape: [9] },
  height: { data: height, shape: [1] },
  kind,
  weight,
  weighed,
})

const [seen, felt] = [nn.linear(9, 32), nn.linear(1, 32)]
const [kinds, weights] = [nn.linear(32, 3), nn.linear(32, 1)] as const

await using session = await train.session(
  ({ picture, height, kind, weight, weighed }) => {
    const code = ops.tanh(ops.add(seen(picture), felt(height)))
    const guess = kinds(code)
    const error = ops.mul(ops.square(ops.sub(ops.reshape(weights(code), [-1]), weight)), weighed)
    const known = ops.sum(weighed)
    return {
      loss: ops.add(nn.crossEntropy(guess, kind), ops.div(ops.sum(error), known)),
      accuracy: train.measures.accuracy(guess, kind),
      error: train.measures.mean({ sum: ops.sum(error), count: known, better: 'less', format: { digits: 4 } }),
    }
  },
  { data: { train: set, validation: set }, optimizer: optim.adam({ rate: 0.01 }), batch: 50, epochs: 30 },
)
const end = await session.run()
console.log('accuracy:', end.validation.accuracy)
