// A process that leaves while a device's thread computes: node leave.mjs ADDON PROGRAMS MODE BACKEND. PROGRAMS is JSON of
// [{ text, elements }]: program texts of one feed x and one fetch of as many elements, in bf16. Once all have run it says "at
// work" and runs them in turn, two in flight, until the first line on stdin, or a signal. MODE:
//   exit, signal      process.exit(7), on the line or as SIGTERM's handler
//   killed            nothing: it is ended from outside, by a signal that nobody handles
//   throw             an error that nobody catches
//   terminate         the programs run in a worker, which is terminated; then the process ends by itself with 7
//   exit-above        the programs run in a worker; the main thread calls process.exit(7)
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const [addon, programs, mode, backend] = isMainThread ? process.argv.slice(2) : workerData

async function work(atWork) {
  const { Device } = createRequire(import.meta.url)(addon)
  const options = { backend, index: 0, threads: 0, profile: false, deterministic: false, memoryLimit: 0 }
  const device = new Device(options)
  const runs = []
  for (const { text, elements } of JSON.parse(programs)) {
    const program = await device.compile(text, [])
    const x = new Uint16Array(elements)
    await program.run([x], [x])
    runs.push(() => program.run([x], [null]))
  }
  atWork()
  let earlier = Promise.resolve()
  for (let i = 0; ; i++) {
    const run = runs[i % runs.length]()
    await earlier
    earlier = run
  }
}

function say() {
  process.stdout.write('at work\n')
}

if (isMainThread) {
  const leave = {
    exit: () => process.exit(7),
    signal: () => undefined,
    killed: () => undefined,
    throw: () => {
      throw new Error('on purpose')
    },
    terminate: async () => {
      process.stdin.destroy()
      await worker.terminate()
      process.exitCode = 7
    },
    'exit-above': () => process.exit(7),
  }[mode]
  process.stdin.once('data', leave)
  if (mode === 'signal') process.once('SIGTERM', () => process.exit(7))
  const inWorker = mode === 'terminate' || mode === 'exit-above'
  const worker =
    inWorker && new Worker(fileURLToPath(import.meta.url), { workerData: [addon, programs, mode, backend] })
  if (inWorker) worker.once('message', say)
  else await work(say)
} else {
  await work(() => parentPort.postMessage('at work'))
}
