// One training step on CUDA in another process: node device.mjs PRECISION. Says how it went.
import { nn, optim, train } from '../../../dist/index.js'
import { arrays } from '../../../dist/data/index.js'

try {
  const session = await train.session(nn.sequential(nn.linear(4, 3)), {
    data: arrays({ x: { data: new Float32Array(32), shape: [4] }, target: new Int32Array(8) }),
    loss: nn.crossEntropy,
    optimizer: optim.sgd({ rate: 0.1 }),
    batch: 8,
    device: 'cuda',
    precision: process.argv[2],
  })
  await session.run()
  process.stdout.write(`trained in ${session.precision}\n`)
  await session.dispose()
} catch (error) {
  process.stdout.write(`${error.code} ${error.message}\n`)
}
