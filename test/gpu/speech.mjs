// node speech.mjs NETWORK PRECISION DEVICE: trains a network over sound there on made-up lines, and holds the losses of its first steps to the CPU's; then
// takes the op ctc alone, whose loss and size of the gradient must be the CPU's. Prints one line of JSON with these and with both speeds; throws where they
// do not agree.
import { makeOf, networks, objectiveOf, withMoments } from '../../bench/speech/networks.mjs'
import { madeUpLines } from '../../bench/speech/sounds.mjs'
import { feed, nn, openDevice, ops, optim, Programs, read, StateStore, Variable } from '../../bench/steps/library.mjs'
import { PhiloxStream } from '../../dist/data/index.js'
import { grad } from '../../dist/index.js'
import { heldToCpu } from './trained.mjs'

const [network, precision, device] = process.argv.slice(2)
const { config: sizes, batch, rate, ...lines } = networks[network]
/** The op is f32 in all precisions. */
const SAME = 1e-4
const times = 50

const data = madeUpLines(8 * batch, { ...lines, classes: sizes.classes })
const config = await withMoments(sizes, data)
const net = makeOf(config)
/** Of an epoch, without padding. */
const frames = data.buckets.lengths.reduce((sum, samples) => sum + net.frames(samples), 0)

/** Labels of a batch, from half of the most on, and all frames that there may be. */
function madeUpRows() {
  const draws = new PhiloxStream(9, 0, 0)
  const whole = (count, make) => Int32Array.from({ length: count }, make)
  return {
    labels: whole(batch * lines.labels, () => 1 + draws.below(sizes.classes - 1)),
    labelLengths: whole(batch, () => lines.labels - draws.below(Math.ceil(lines.labels / 2))),
    frameLengths: whole(batch, () => net.frames(Math.round(lines.seconds * config.features.banks.rate))),
  }
}

/** The loss of logits that lie on the device, the size of its gradient, and how long both take, two runs in flight. */
async function aligned(where) {
  const given = await openDevice({ device: where })
  const rows = madeUpRows()
  const shape = [rows.frameLengths[0], batch, sizes.classes]
  const init = () => ops.mul(ops.sub(ops.randomUniform(shape), 0.5), 6)
  const logits = new Variable({ label: 'logits', dtype: 'f32', shape, role: 'parameter', init })
  const programs = new Programs(given, new StateStore(given), 1)
  const { program } = await programs.build({ name: 'ctc', mode: 'train', precision: 'f32', brings: true }, () => {
    const labels = feed('labels', 'i32', [batch, lines.labels])
    const [counts, steps] = ['labelLengths', 'frameLengths'].map((name) => feed(name, 'i32', [batch]))
    const x = read(logits)
    const loss = nn.ctcLoss(x, labels, counts, steps)
    return { loss, size: ops.norm(grad(loss, x)) }
  })
  const [found, ...spare] = [0, 1, 2].map(() => ({ loss: new Float32Array(1), size: new Float32Array(1) }))
  await program.run(rows, found)
  const started = performance.now()
  const flights = []
  for (let i = 0; i < times; i++) {
    flights.push(program.run(rows, spare[i % 2]))
    if (flights.length === 2) await flights.shift()
  }
  await Promise.all(flights)
  const ms = (performance.now() - started) / times
  await given.dispose()
  return { loss: found.loss[0], size: found.size[0], ms }
}

const make = () => ({
  objective: objectiveOf(makeOf(config)),
  options: { data, optimizer: optim.adam({ rate }), batch },
})
const { speed, ...held } = await heldToCpu({ make, device, precision })
const [own, other] = [await aligned(device), await aligned('cpu')]
for (const key of ['loss', 'size']) {
  if (Math.abs(own[key] / other[key] - 1) < SAME) continue
  throw new Error(`ctc: expected the ${key} ${other[key]}, as on the CPU, got ${own[key]}`)
}
process.stdout.write(`${JSON.stringify({ ...held, trainingFrames: speed * frames, ctc: own.ms })}\n`)
