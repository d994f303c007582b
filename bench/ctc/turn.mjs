// node turn.mjs FOLDER: our side of a case of run.mjs, as the folder's task.json says it. Writes logits and labels into the folder for the other
// side; at each turn it takes the loss and its gradient so many times.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../dist/files/index.js'
import { grad } from '../../dist/index.js'
import { compileGraph, feed, nn, openDevice, ops, trace, versions } from '../steps/library.mjs'
import { peakMemory, takeTurns } from '../turns.mjs'

const [folder] = process.argv.slice(2)
const { frames, rows, classes, labels, threads, runs } = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'))

// Numbers from 0 to below 1, the same at every call.
let state = 1
const draw = () => (state = (state * 48271) % 2147483647) / 2147483647
const whole = (n, make) => Int32Array.from({ length: n }, make)
const shapes = {
  logits: [frames, rows, classes],
  labels: [rows, labels],
  labelLengths: [rows],
  frameLengths: [rows],
}
const feeds = {
  logits: Float32Array.from({ length: frames * rows * classes }, () => 6 * draw() - 3),
  labels: whole(rows * labels, () => 1 + Math.floor((classes - 1) * draw())),
  // From half of the longest on, as in a bucket.
  labelLengths: whole(rows, () => labels - Math.floor((labels / 2) * draw())),
  frameLengths: whole(rows, (_, n) => frames - (n === 0 ? 0 : Math.floor((frames / 8) * draw()))),
}
const dtypeOf = (values) => (values instanceof Float32Array ? 'f32' : 'i32')
await writeSafetensors(
  join(folder, 'rows.safetensors'),
  Object.fromEntries(
    Object.entries(feeds).map(([name, data]) => [
      name,
      { dtype: dtypeOf(data).toUpperCase(), shape: shapes[name], data },
    ]),
  ),
)

const graph = trace({ name: 'ctc' }, () => {
  const inputs = Object.entries(feeds).map(([name, data]) => feed(name, dtypeOf(data), shapes[name]))
  const loss = nn.ctcLoss(...inputs)
  return { loss, size: ops.norm(grad(loss, inputs[0])) }
})
const device = await openDevice({ device: 'cpu', threads })
const program = await device.compile(compileGraph(graph, { precision: 'f32' }).text, [])
const fetches = { loss: new Float32Array(1), size: new Float32Array(1) }

async function turn() {
  const start = performance.now()
  for (let i = 0; i < runs; i++) await program.run(feeds, fetches)
  const ms = (performance.now() - start) / runs
  return { ms, loss: fetches.loss[0], size: fetches.size[0], memory: peakMemory() }
}
await takeTurns({ device: device.info(), versions: { node: process.versions.node, ...versions() } }, turn)
await device.dispose()
