// node threads.mjs ADDON PROGRAM ELEMENTS THREADS: runs the program text of one feed x and one fetch some times on so many threads, and prints the names
// of the threads that the process has then and had not before, as JSON.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const threadsNow = () => readdirSync('/proc/self/task')
const before = threadsNow()
const [addon, text, elements, threads] = process.argv.slice(2)
const { Device } = createRequire(import.meta.url)(addon)
const device = new Device({
  ...{ backend: 'cpu', index: 0, threads: Number(threads), profile: false, deterministic: false, memoryLimit: 0 },
})
const program = await device.compile(text, [])
for (let run = 0; run < 10; run++) await program.run([new Float32Array(Number(elements))], [null])
const more = threadsNow().filter((id) => !before.includes(id))
const names = more.map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
process.stdout.write(JSON.stringify(names))
