// Runs one program on a CUDA device: JSON { text, feeds, options } on the standard input, { explain, results } or { error } on the
// standard output. A process of its own, whose environment the backend sees.
import { text as all } from 'node:stream/consumers'
import { openDevice } from '../../../dist/runtime/index.js'

const { text, feeds, options } = JSON.parse(await all(process.stdin))

async function run() {
  const device = await openDevice({ device: 'cuda', ...options })
  try {
    const program = await device.compile(text, [])
    const given = Object.entries(feeds).map(([name, numbers]) => [name, Float32Array.from(numbers)])
    const results = await program.run(Object.fromEntries(given))
    const lists = Object.entries(results).map(([name, numbers]) => [name, [...numbers]])
    return { explain: program.stats().explain, results: Object.fromEntries(lists) }
  } finally {
    await device.dispose()
  }
}

process.stdout.write(JSON.stringify(await run().catch(({ message }) => ({ error: message }))))
