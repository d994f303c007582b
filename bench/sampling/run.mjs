// node bench/sampling/run.mjs [--precision bf16] [--seconds 4]
// Characters that a network of two LSTM layers of 512 units draws in a second, for several numbers of texts at once: writes
// bench/results/sampling.json. Untrained weights draw as fast as trained ones.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { shakespeare } from '../../dist/data/index.js'
import { charLstm, lstmLm } from '../../dist/models/index.js'
import * as nn from '../../dist/nn/index.js'
import * as optim from '../../dist/optim/index.js'
import { load } from '../../dist/infer/index.js'
import { session } from '../../dist/train/index.js'
import { commit } from '../report.mjs'

const { values } = parseArgs({ options: { precision: { type: 'string' }, seconds: { type: 'string' } } })
const seconds = Number(values.seconds ?? 4)
const folder = mkdtempSync(join(tmpdir(), 'ostrich-sampling-'))
const path = join(folder, 'net.safetensors')
const net = lstmLm({ ...charLstm, layers: 2 })
const { train } = await shakespeare()
const optimizer = optim.sgd({ rate: 0.1 })
const precision = values.precision ?? 'auto'
const run = await session(net, { data: train, loss: nn.crossEntropy, optimizer, batch: 4, window: 8, precision })
await run.save(path)
await run.dispose()

const rows = []
for (const streams of [1, 8, 32, 128, 512]) {
  const model = await load(path, net, { precision })
  const sampler = await model.sampler({ streams })
  await sampler.start(1)
  for (let i = 0; i < 50; i++) await sampler.step()
  const rates = []
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    let steps = 0
    for (; performance.now() - began < (1000 * seconds) / 5; steps++) await sampler.step()
    rates.push((steps * streams * 1000) / (performance.now() - began))
  }
  const rate = Math.round(rates.toSorted((a, b) => a - b)[2])
  await model.dispose()
  rows.push({ streams, charactersPerSecond: rate })
  process.stdout.write(
    `${String(streams).padStart(4)} texts at once  ${rate.toLocaleString('en').padStart(9)} characters/s\n`,
  )
}
rmSync(folder, { recursive: true })

const cpu = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
const about = {
  network: 'characters, 2 x 512 LSTM',
  precision: run.precision,
  cpu,
  isa: run.device.isa,
  threads: run.device.threads,
}
const made = { ...about, commit: commit(), date: new Date().toISOString().slice(0, 10), rows }
writeFileSync(
  fileURLToPath(new URL('../results/sampling.json', import.meta.url)),
  `${JSON.stringify(made, undefined, 2)}\n`,
)
