// Regression: a table of houses, their prices learned from area and age. Run: npm install csv-parse, then this file.
import { writeFile } from 'node:fs/promises'
import { nn, ops, optim, type Tensor, train } from 'ostrich'
import { moments, readCsv, split } from 'ostrich/data'

const lines = Array.from({ length: 500 }, (_, i) => {
  const [area, age] = [60 + ((37 * i) % 120), (17 * i) % 50]
  return `${area},${age},${(3 * area - 2 * age + 50 + Math.sin(i)) / 100}`
})
await writeFile('houses.csv', `area,age,price\n${lines.join('\n')}\n`)

const table = await readCsv('houses.csv', { x: ['area', 'age'], target: 'price' })
const { train: known, validation } = split(table, { share: 0.2 })

const net = nn.sequential(nn.linear(2, 32), nn.tanh(), nn.linear(32, 1))
await using session = await train.session(net, {
  data: { train: known, validation },
  inputs: { x: nn.standardise(await moments(known, 'x')) },
  loss: (output: Tensor<'f32'>, target: Tensor<'f32', [number]>) =>
    nn.meanSquaredError(ops.reshape(output, [-1]), target),
  measures: {},
  optimizer: optim.adam({ rate: 0.01 }),
  batch: 32,
  epochs: 60,
})
const { validation: measured } = await session.run()
const [price = 0] = await session.predict(Float32Array.of(100, 10))
console.log(`100 square metres, 10 years: ${price.toFixed(2)}`)
console.log('1 less the error:', 1 - Math.sqrt(measured.loss))
