// The addon's threads under ThreadSanitizer: node threads.mjs ADDON, where ADDON and what it loads lie in one folder and
// libtsan is preloaded. A race makes the process end with the sanitizer's exit code.
//
// Everything that JavaScript may do while a device's thread is at work: two runs in flight, reads and writes between
// them, statistics, disposal, a second device, and workers that end or are ended in the middle.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'

const addon = isMainThread ? process.argv[2] : workerData
const { Device, backends } = createRequire(import.meta.url)(addon)
const N = 1000

// y = 2 x + w, and w becomes y.
const spec = (value) => ({ value, dtype: 'f32', shape: [N] })
const program = JSON.stringify({
  format: 'ostrich-program',
  version: 1,
  name: 'doubling',
  feeds: [{ ...spec(0), name: 'x' }],
  states: [{ ...spec(1), name: 'w' }],
  constants: [],
  nodes: [
    {
      op: 'pointwise',
      path: 'y',
      in: [0, 1],
      out: [spec(2)],
      attrs: {
        chain: [
          ['mul', 'f32', 0, { c: 2 }],
          ['add', 'f32', 2, 1],
        ],
        outputs: [3],
      },
    },
  ],
  assigns: [{ state: 1, value: 2 }],
  fetches: [{ name: 'y', value: 2 }],
})

const open = async () => {
  const options = { backend: 'cpu', index: 0, threads: 1, profile: false, deterministic: false, memoryLimit: 0 }
  const device = new Device(options)
  const state = device.alloc({ dtype: 'f32', shape: [N], name: 'w' })
  return { device, state, program: await device.compile(program, [state]) }
}

/** Runs with two steps in flight, and looks at everything meanwhile. */
const train = async (steps) => {
  const { device, state, program } = await open()
  const x = new Float32Array(N).fill(1)
  const outputs = [new Float32Array(N), new Float32Array(N)]
  const flights = []
  for (let step = 0; step < steps; step++) {
    if (flights.length === 2) await flights.shift()
    flights.push(program.run([x], [outputs[step % 2]]))
    program.stats()
    if (step % 16 === 0) device.info()
  }
  const seen = new Float32Array(N)
  await Promise.all([...flights, state.read(seen)])
  assert.equal(seen[N - 1], 2 * steps)
  await state.write(new Float32Array(N))
  program.dispose()
  state.dispose()
  await device.dispose()
}

/** Takes everything away while runs are queued: each of them ends, one way or the other. */
const abandon = async () => {
  const { device, state, program } = await open()
  const runs = Array.from({ length: 8 }, () => program.run([new Float32Array(N)], [new Float32Array(N)]))
  const ends = Promise.allSettled(runs)
  program.dispose()
  state.dispose()
  await Promise.all([device.dispose(), ends])
}

const worker = () => new Worker(fileURLToPath(import.meta.url), { workerData: addon })
const ended = (thread) => new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject))

if (isMainThread) {
  backends()
  await Promise.all([train(300), train(300)])
  for (let i = 0; i < 10; i++) await abandon()
  const finishing = [worker(), worker()]
  assert.deepEqual(await Promise.all(finishing.map(ended)), [0, 0])
  for (let i = 0; i < 5; i++) {
    const thread = worker()
    await new Promise((resolve) => thread.once('message', resolve))
    await thread.terminate()
  }
  console.log('threads: every run ended')
} else {
  await train(20)
  parentPort.postMessage('at work')
  await train(500)
}
