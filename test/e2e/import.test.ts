// Importing Ostrich is cheap: few files are opened, what most programs never need is loaded when it is needed, and a fresh
// process spends little on it.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const library = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

/** Everything that a file imports when it is loaded, and what that imports: files and modules of Node.js. */
async function reached(file: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(file)) return seen
  seen.add(file)
  if (file.startsWith('node:')) return seen
  for (const match of (await readFile(file, 'utf8')).matchAll(/^(?:import|export)\b[^;'"]*["']([^"']+)["'];/gm)) {
    const name = match[1]!
    await reached(name.startsWith('.') ? join(file, '..', name) : name, seen)
  }
  return seen
}

test('it opens few files, and none of what fetches and unpacks data', async () => {
  const all = [...(await reached(library))]
  const files = all.filter((name) => !name.startsWith('node:'))
  expect(files.length).toBeGreaterThan(5)
  expect(files.length).toBeLessThanOrEqual(20)
  const heavy = ['node:child_process', 'node:crypto', 'node:http', 'node:stream', 'node:worker_threads', 'node:zlib']
  expect(all.filter((name) => heavy.includes(name))).toEqual([])
})

const ask = `const [cpu, time] = [process.cpuUsage(), performance.now()]
await import(process.argv[1])
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ wall: performance.now() - time, cpu: (user + system) / 1000 }))`

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

// Measured: 35 ms on a quiet machine, where one file for each source took 100. The rest is for slow and busy ones.
test('it takes little of a fresh process', { timeout: 120_000 }, async () => {
  const figures: { wall: number; cpu: number }[] = []
  for (let i = 0; i < 15; i++) {
    const args = ['--input-type=module', '-e', ask, pathToFileURL(library).href]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    figures.push(JSON.parse(stdout) as { wall: number; cpu: number })
  }
  const [wall, cpu] = [median(figures.map((one) => one.wall)), median(figures.map((one) => one.cpu))]
  console.log(
    `import 'ostrich': ${wall.toFixed(0)} ms, ${cpu.toFixed(0)} ms of them on the processor (median of 15 processes)`,
  )
  expect(cpu).toBeLessThan(120)
})
