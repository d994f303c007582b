// One training step in another process: node device.mjs PRECISION [DEVICE, else cuda]. Says how it went, and where.
import { nn, optim, train } from '../../../dist/index.js'
import { arrays } from '../../../dist/data/index.js'

try {
  const session = await train.session(nn.sequential(nn.linear(4, 3)), {
    data: arrays({ x: { data: new Float32Array(32), shape: [4] }, target: new Int32Array(8) }),
    loss: nn.crossEntropy,
    optimizer: optim.sgd({ rate: 0.1 }),
    batch: 8,
    device: process.argv[3] ?? 'cuda',
    precision: process.argv[2],
  })
  await session.run()
  process.stdout.write(`trained in ${session.precision} on ${session.device.backend}\n`)
  await session.dispose()
} catch (error) {
  process.stdout.write(`${error.code} ${error.message}\n`)
}
