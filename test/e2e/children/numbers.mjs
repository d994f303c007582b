// A training of a network that reads house numbers, which the test kills: node numbers.mjs FOLDER [CHECKPOINT]. Says each step on stdout, and at its
// end a hash of all that is saved. Dropout and batch normalisation are as the recipe has them; the images are made up, and small.
import { ops, optim, train } from '../../../dist/index.js'
import { arrays, PhiloxStream } from '../../../dist/data/index.js'
import { houseNumbers, numberCosts, smallHouseNumbers } from '../../../dist/models/index.js'
import { toTheEnd } from './to-the-end.mjs'

const [folder, checkpoint] = process.argv.slice(2)
const [count, side, most] = [180, 12, 5]
const noise = new PhiloxStream(3, 0, 0)
const x = Uint8Array.from({ length: count * 3 * side * side }, () => noise.below(256))
const length = Int32Array.from({ length: count }, () => noise.below(7))
const digits = Int32Array.from({ length: count * most }, () => noise.below(10))
const mask = Uint8Array.from({ length: count * most }, (_, i) => {
  const many = length[Math.floor(i / most)]
  return Number(i % most < many && many <= most)
})
const net = houseNumbers({ ...smallHouseNumbers, side, units: [4, 6], pools: [2, 2], hidden: [16] })
const session = await train.session((fields) => ({ loss: ops.mean(numberCosts(net(fields.x), fields)) }), {
  data: arrays({
    x: { data: x, shape: [3, side, side] },
    length,
    digits: { data: digits, shape: [most] },
    mask: { data: mask, shape: [most] },
  }),
  inputs: { mask: (there) => ops.cast(there, 'f32') },
  optimizer: optim.adam({ rate: 0.01, clipNorm: 5 }),
  batch: 8,
  epochs: 3,
  seed: 11,
  threads: 1,
  device: 'cpu',
  precision: process.env.PRECISION,
  folder,
  checkpointEvery: { steps: 7 },
})
await toTheEnd(session, folder, checkpoint)
