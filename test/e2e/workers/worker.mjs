// A worker that keeps a device busy and ends in the way that it is told to.
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

const { addon, program, elements, ending } = workerData
const { Device } = createRequire(import.meta.url)(addon)

const options = { backend: 'cpu', index: 0, threads: 1, profile: false, deterministic: false, memoryLimit: 0 }
const device = new Device(options)
const state = device.alloc({ name: 'w', dtype: 'f32', shape: [elements] })
const doubling = await device.compile(program, [state])
const x = new Float32Array(elements).fill(1)
const run = () => doubling.run([x], [x])

await run()
parentPort.postMessage(x[0])
// What is queued here is under way when the worker ends.
const queued = Array.from({ length: 8 }, run)
if (ending === 'dispose') await Promise.all([...queued, device.dispose()])
if (ending === 'exit') process.exit(0)
if (ending === 'throw') throw new Error('on purpose')
if (ending === 'terminate') for (;;) await run()
