// A training loop of one's own: sign descent, with a rate that is an input of the step. Labels are whether a sum is positive.
import { assign, grad, nn, ops, optim, read, type Tensor, train } from 'ostrich'
import { arrays } from 'ostrich/data'

const [rows, batch] = [1024, 64]
const x = Float32Array.from({ length: rows * 8 }, (_, i) => Math.sin(i * i))
const target = Int32Array.from({ length: rows }, (_, n) =>
  x.subarray(8 * n, 8 * n + 8).reduce((a, b) => a + b, 0) > 0 ? 1 : 0,
)
const set = arrays({ x: { data: x, shape: [8] }, target })

const net = nn.sequential(nn.linear(8, 32), nn.relu(), nn.linear(32, 2))
await using session = await train.session(net, {
  data: set,
  loss: nn.crossEntropy,
  optimizer: optim.sgd({ rate: 0 }),
  batch,
})

const step = await session.compile(
  (x: Tensor<'f32', [number, 8]>, target: Tensor<'i32', [number]>, rate: Tensor<'f32', []>) => {
    const loss = nn.crossEntropy(net(x), target)
    const weights = net.parameters.map((parameter) => read(parameter))
    for (const [i, gradient] of grad(loss, weights).entries()) {
      assign(net.parameters[i]!, ops.sub(weights[i]!, ops.mul(ops.sign(gradient), rate)))
    }
    return { loss }
  },
  { x: [batch, 8], target: [batch], rate: [] },
  { mode: 'train' },
)
for (let k = 0; k < 400; k++) {
  const at = (k * batch) % rows
  const feeds = { x: x.subarray(8 * at, 8 * (at + batch)), target: target.subarray(at, at + batch) }
  const { loss } = await step.run({ ...feeds, rate: Float32Array.of(0.01 * (1 - k / 400)) })
  if (k % 100 === 0) console.log(k, loss[0])
}
console.log('accuracy:', (await session.evaluate(set)).accuracy)
