// What V8 is told that programs hold beside its heap: node --expose-gc --trace-gc --trace-gc-verbose told.mjs ADDON PROGRAMS. PROGRAMS is
// JSON of [{ text, elements }]: program texts of one feed x and one fetch of as many elements, in f32, the largest last. Collects once at
// rest, once all are compiled, once each has run, once the largest is gone and the first has run again, and once all are gone; then
// says how large the arena was at each of them.
import { createRequire } from 'node:module'

const [addon, programs] = process.argv.slice(2)
const { Device } = createRequire(import.meta.url)(addon)
const device = new Device({
  backend: 'cpu',
  index: 0,
  threads: 1,
  profile: false,
  deterministic: false,
  memoryLimit: 0,
})
const arenas = []
const collect = (arena) => {
  globalThis.gc()
  arenas.push(arena)
}
const run = ({ program, x }) => program.run([x], [x])

// Arrays count as such memory too: they are there before anything is measured.
const given = JSON.parse(programs).map(({ text, elements }) => ({ text, x: new Float32Array(elements) }))
collect(0)
const all = []
for (const { text, x } of given) all.push({ program: await device.compile(text, []), x })
const arena = () => all[0].program.stats().sharedArenaBytes
collect(arena())
for (const one of all) await run(one)
collect(arena())
all.pop().program.dispose()
await run(all[0])
collect(arena())
for (const { program } of all) program.dispose()
await device.dispose()
collect(0)
// V8 writes to stdout at times of its own.
console.error(JSON.stringify(arenas))
