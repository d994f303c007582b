// The flaw: a small change along the sign of the gradient, which nobody sees, and a network takes digits for others (Goodfellow et al. 2015).
import { nn, optim, solvers, train } from 'ostrich'
import { mnist } from 'ostrich/data'

const net = nn.sequential(nn.flatten(), nn.linear(784, 100), nn.relu(), nn.linear(100, 10))
const digits = await mnist()
await using session = await train.session(net, {
  data: digits,
  loss: nn.crossEntropy,
  optimizer: optim.adam({ rate: 0.002 }),
  batch: 64,
  epochs: 5,
})
await session.run()

const count = 50
const [bytes, labels] = [new Uint8Array(count * 784), new Int32Array(count)]
await digits.test.gather([...labels.keys()], { x: bytes, target: labels })
const images = Float32Array.from(bytes, (byte) => byte / 255)

const attack = await solvers.fgsm(session, net, { shape: [count, 1, 28, 28], epsilon: 0.25 })
const changed = await attack.run(images, labels)
const right = async (x: Float32Array): Promise<number> => {
  const scores = await session.predict(x, { prepared: true })
  const rows = Array.from(labels, (label, i) => {
    const row = scores.subarray(10 * i, 10 * i + 10)
    return row.indexOf(Math.max(...row)) === label
  })
  return rows.filter(Boolean).length / count
}
const [before, after] = [await right(images), await right(changed)]
console.log(`right after a change of 0.25: ${after}`)
console.log('right before, or 0 where the attack did nothing:', after < before ? before : 0)
