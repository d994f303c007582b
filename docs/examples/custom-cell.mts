// A recurrent cell of one's own: a leaky unit, which must remember the first number of a sequence to the end.
import { nn, ops, optim, read, train } from 'ostrich'
import { arrays } from 'ostrich/data'

const [rows, steps, units] = [512, 12, 16]
const sequence = Float32Array.from({ length: rows * steps }, (_, k) => Math.sin(k * k + 1))
const target = Int32Array.from({ length: rows }, (_, i) => (sequence[i * steps]! > 0 ? 1 : 0))
const set = arrays({ x: { data: sequence, shape: [steps, 1] }, target })

function leaky(inputs: number) {
  const w = nn.parameter('w', [inputs, units], nn.init.glorotUniform, { in: inputs, out: units })
  const u = nn.parameter('u', [units, units], nn.init.glorotUniform, { in: units, out: units })
  return nn.recurrent({
    parameters: [w, u],
    states: () => ({ h: [units] }),
    step: ([x], { h }) => {
      const drive = ops.add(ops.matmul(x, read(w)), ops.matmul(h, read(u)))
      return { h: ops.add(ops.mul(h, 0.8), ops.mul(ops.tanh(drive), 0.2)) }
    },
  })
}
const cell = leaky(1)
const choice = nn.linear(units, 2)

await using session = await train.session(
  ({ x, target }) => {
    const logits = choice(cell.run(ops.transpose(x, [1, 0, 2])).last.h)
    return { loss: nn.crossEntropy(logits, target), accuracy: train.measures.accuracy(logits, target) }
  },
  { data: { train: set, validation: set }, optimizer: optim.adam({ rate: 0.02 }), batch: 64, epochs: 60 },
)
const end = await session.run()
console.log('accuracy:', end.validation.accuracy)
