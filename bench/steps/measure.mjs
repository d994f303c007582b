// One case in a process of its own: node measure.mjs CASE PRECISION STEPS THREADS [DEVICE]. Prints one line of
// JSON. `floor` holds for the CPU only: elsewhere the product that it is measured by includes a copy of its operand. There
// values lie on the device already, as they do for PyTorch; `fed` is the time of a step that is fed them as bytes.
import { cases, multiplyAdds } from './cases.mjs'
import {
  compileGraph,
  feed,
  openDevice,
  ops,
  Programs,
  read,
  StateStore,
  supervised,
  trace,
  Trainer,
  Variable,
  versions,
} from './library.mjs'

const [name, precision, steps, threads, where = 'cpu'] = process.argv.slice(2)
const task = cases[name]
const warmUp = 5
/** Bytes of a batch beyond which it is measured on the device only. */
const largestFed = 2 ** 25

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const extent = (shape) => shape.reduce((product, n) => product * n, 1)
const below = (limit, count) => Int32Array.from({ length: count }, () => Math.floor(Math.random() * limit))
const uniform = (count) => new Float32Array(count).map(() => Math.random() * 2 - 1)

const device = await openDevice({ device: where, threads: Number(threads) })

/** Where the images of a batch come from: `values` from JavaScript, `bytes` likewise, `resident` from the device's memory. */
const images = {
  values: (count) => ({ dtype: 'f32', shape: task.shape, feed: uniform(count), net: task.net() }),
  bytes: (count) => ({ dtype: 'u8', shape: task.shape, feed: new Uint8Array(below(256, count)), net: task.net() }),
  resident: () => {
    const shape = [task.batch, ...task.shape]
    const init = () => ops.randomUniform(shape, { low: -1 })
    const batch = new Variable({ label: 'images', dtype: 'f32', shape, role: 'statistic', init })
    const net = task.net()
    return { dtype: 'u8', shape: [], feed: new Uint8Array(task.batch), net: () => net(read(batch)) }
  },
}

const dtypeOf = (values) => ({ Float32Array: 'f32', Int32Array: 'i32', Uint8Array: 'u8' })[values.constructor.name]

/** Network, fields and feeds of a step; the labels are those that PyTorch's step has. */
function stepOf(source) {
  const count = task.batch * extent(task.shape)
  if (task.vocabulary) {
    const field = { dtype: 'i32', shape: task.shape }
    const feeds = { x: below(task.vocabulary, count), target: below(task.vocabulary, count) }
    return { net: task.net(), fields: { x: field, target: field }, feeds }
  }
  const { dtype, shape, feed: x, net } = images[source](count)
  const target = Int32Array.from({ length: task.batch }, (_, i) => i % task.classes)
  return { net, fields: { x: { dtype, shape }, target: { dtype: 'i32', shape: [] } }, feeds: { x, target } }
}

/** Milliseconds from the call to the end of the first compilation: trace, gradient, passes, text, native build. */
async function timedTrainer({ net, fields }) {
  let compiled
  const watched = {
    alloc: (spec) => device.alloc(spec),
    compile: async (text, state) => {
      const program = await device.compile(text, state)
      compiled ??= performance.now()
      return program
    },
  }
  const store = new StateStore(watched)
  const started = performance.now()
  const trainer = await Trainer.create(new Programs(watched, store, 1), {
    task: { objective: supervised(net, task.loss), inputs: {} },
    shapes: [{ rows: task.batch, fields }],
    optimizer: task.optimizer(),
    precision,
  })
  return { trainer, compile: compiled - started }
}

/** Median time between ends of steps, with two in flight as in the training loop. */
async function stepTime(trainer, feeds) {
  const total = Number(steps) + warmUp
  const ends = []
  const flights = []
  for (let step = 0; step < total; step++) {
    flights.push(trainer.start({ feeds }, step))
    if (flights.length < 2) continue
    await flights.shift()
    ends.push(performance.now())
  }
  await Promise.all(flights)
  const times = ends.slice(1).map((end, i) => end - ends[i])
  return median(times.slice(warmUp))
}

/**
 * Microseconds of a call that computes next to nothing on feeds of the same size: the whole round trip with both
 * hand-overs between threads, and the part of it in which the JavaScript thread is busy (checks, N-API, copying the
 * feeds, resolving the promise). Measured on an idle device, since a busy core would count waiting as work.
 */
async function overhead(feeds) {
  const { text } = compileGraph(
    trace({ name: 'idle' }, () => {
      for (const [field, values] of Object.entries(feeds)) feed(field, dtypeOf(values), [values.length])
      return { y: ops.add(feed('one', 'i32', [1]), 1) }
    }),
    { precision: 'f32' },
  )
  const program = await device.compile(text, [])
  const fed = { ...feeds, one: new Int32Array(1) }
  const fetches = { y: new Int32Array(1) }
  const times = []
  const started = performance.now()
  let idle = performance.eventLoopUtilization()
  // Large feeds take long to copy.
  while (times.length < 2500 && (times.length < 50 || performance.now() - started < 3000)) {
    if (times.length === 20) idle = performance.eventLoopUtilization()
    const called = performance.now()
    await program.run(fed, fetches)
    times.push(performance.now() - called)
  }
  const { active } = performance.eventLoopUtilization(idle)
  const counted = times.slice(20)
  return { roundTrip: median(counted) * 1000, javascript: (active / counted.length) * 1000 }
}

/** Multiply-adds per millisecond of a large product: what this machine can do in this precision. */
async function bestRate() {
  const n = 1024
  const type = (tensor) => (precision === 'bf16' ? ops.cast(tensor, 'bf16') : tensor)
  const graph = trace({ name: 'product' }, () => {
    const a = type(feed('a', 'f32', [n, n]))
    let product = a
    for (let i = 0; i < 8; i++) product = ops.matmul(a, product)
    return { y: ops.sum(ops.cast(product, 'f32')) }
  })
  const program = await device.compile(compileGraph(graph, { precision: 'f32' }).text, [])
  const feeds = { a: uniform(n * n).map((value) => value / 32) }
  const times = []
  for (let i = 0; i < 7; i++) {
    const started = performance.now()
    await program.run(feeds)
    times.push(performance.now() - started)
  }
  return (8 * n ** 3) / Math.min(...times)
}

/** Of a batch that lies on a GPU, the step that is fed bytes too. */
const onDevice = where !== 'cpu' && !task.vocabulary
const first = stepOf(onDevice ? 'resident' : 'values')
const { trainer, compile } = await timedTrainer(first)
const step = await stepTime(trainer, first.feeds)
let fed
if (onDevice && task.batch * extent(task.shape) <= largestFed) {
  const second = stepOf('bytes')
  fed = await stepTime((await timedTrainer(second)).trainer, second.feeds)
}
const memory = process.resourceUsage().maxRSS / 1024
const { arenaBytes, stateBytes, reorders } = trainer.stats
const result = {
  step,
  fed,
  compile,
  ...(await overhead(first.feeds)),
  floor: multiplyAdds(task) / (await bestRate()),
  // Before what follows takes memory of its own.
  memory,
  arena: arenaBytes / 2 ** 20,
  state: stateBytes / 2 ** 20,
  reorders,
  device: device.info(),
  versions: { node: process.versions.node, ...versions() },
}
await device.dispose()
process.stdout.write(`${JSON.stringify(result)}\n`)
