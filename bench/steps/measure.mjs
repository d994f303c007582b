// One case in a process of its own: node measure.mjs CASE PRECISION STEPS THREADS [DEVICE]. Prints one line of
// JSON. `floor` holds for the CPU only: elsewhere the product that it is measured by includes a copy of its operand.
import { cases, multiplyAdds } from './cases.mjs'
import { compileGraph, feed, openDevice, ops, Programs, StateStore, trace, Trainer, versions } from './library.mjs'

const [name, precision, steps, threads, where = 'cpu'] = process.argv.slice(2)
const task = cases[name]
const warmUp = 5

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const extent = (shape) => shape.reduce((product, n) => product * n, 1)
const below = (limit, count) => Int32Array.from({ length: count }, () => Math.floor(Math.random() * limit))
const uniform = (count) => new Float32Array(count).map(() => Math.random() * 2 - 1)

const device = await openDevice({ device: where, threads: Number(threads) })

/** Milliseconds from the call to the end of the first compilation: trace, gradient, passes, text, native build. */
async function timedTrainer() {
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
    task: { net: task.net(), loss: task.loss, inputs: {} },
    fields: task.vocabulary
      ? { x: { dtype: 'i32', shape: task.shape }, target: { dtype: 'i32', shape: task.shape } }
      : { x: { dtype: 'f32', shape: task.shape }, target: { dtype: 'i32', shape: [] } },
    batch: task.batch,
    optimizer: task.optimizer(),
    precision,
  })
  return { trainer, compile: compiled - started }
}

/** Median time between ends of steps, with two in flight as in the training loop. */
async function stepTime(trainer) {
  const count = task.batch * extent(task.shape)
  const feeds = task.vocabulary
    ? { x: below(task.vocabulary, count), target: below(task.vocabulary, count) }
    : { x: uniform(count), target: Int32Array.from({ length: task.batch }, (_, i) => i % task.classes) }
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
async function overhead() {
  const shape = [task.batch, ...task.shape]
  const { text } = compileGraph(
    trace({ name: 'idle' }, () => {
      feed('x', 'f32', shape)
      return { y: ops.add(feed('target', 'i32', [task.batch]), 1) }
    }),
    { precision: 'f32' },
  )
  const program = await device.compile(text, [])
  const feeds = {
    x: uniform(extent(shape)),
    target: new Int32Array(task.batch),
  }
  const fetches = { y: new Int32Array(task.batch) }
  const times = []
  let idle = performance.eventLoopUtilization()
  for (let i = 0; i < 2500; i++) {
    if (i === 500) idle = performance.eventLoopUtilization()
    const started = performance.now()
    await program.run(feeds, fetches)
    times.push(performance.now() - started)
  }
  const { active } = performance.eventLoopUtilization(idle)
  return { roundTrip: median(times.slice(500)) * 1000, javascript: (active / 2000) * 1000 }
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

const { trainer, compile } = await timedTrainer()
const step = await stepTime(trainer)
const memory = process.resourceUsage().maxRSS / 1024
const { arenaBytes, stateBytes, reorders } = trainer.stats
const result = {
  step,
  compile,
  ...(await overhead()),
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
