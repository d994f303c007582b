// A second of real training on made-up data: proof that device, programs and gradients work on this machine.
import { arrays, PhiloxStream } from '../data/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { session } from '../train/index.js'

/** What came of it; `message` says it in words. */
export interface SelfTest {
  readonly passed: boolean
  readonly message: string
}

const examples = 512
const classes = 4
const side = 8

/** Images of noise with one bright quarter; the class is which. */
function quarters() {
  const noise = new PhiloxStream(7, 0, 0)
  const x = new Uint8Array(examples * side * side)
  const target = Int32Array.from({ length: examples }, () => noise.below(classes))
  for (let i = 0; i < x.length; i++) {
    const [image, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side]
    const quarter = 2 * Number(row >= side / 2) + Number(column >= side / 2)
    x[i] = noise.below(128) + (quarter === target[image] ? 96 : 0)
  }
  return arrays({ x: { data: x, shape: [1, side, side] }, target })
}

/** Trains a small convolutional network until it must have learned; never throws. */
export async function selfTest(): Promise<SelfTest> {
  const started = performance.now()
  const net = nn.sequential(
    nn.conv2d(1, 8, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.maxPool2d(2),
    nn.flatten(),
    nn.linear(8 * (side / 2) ** 2, classes),
  )
  try {
    const data = quarters()
    await using run = await session(net, {
      data: { train: data, validation: data },
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: 0.1, momentum: 0.9 }),
      batch: 32,
      epochs: 4,
    })
    const { validation, step } = await run.run()
    const took = `${step} steps in ${((performance.now() - started) / 1000).toFixed(1)} s`
    const right = `${(100 * validation.accuracy).toFixed(0)} %`
    if (validation.accuracy > 0.9) return { passed: true, message: `trained ${took} to ${right} (${run.precision})` }
    return { passed: false, message: `trained ${took}; expected more than 90 % right, got ${right}` }
  } catch (error) {
    return { passed: false, message: error instanceof Error ? error.message : String(error) }
  }
}
