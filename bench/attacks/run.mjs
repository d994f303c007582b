// node bench/attacks/run.mjs [--images 1000] [--peer 50] [--threads N] [--rows 100] [--rounds 3] [--name attacks] [--dry]
// The nearest images that FC100-100-10 takes for others: all of them at once, beside SciPy's L-BFGS-B driving PyTorch's gradients,
// one image after the other, over the first of the same images, in turn. The same values of c, history and tolerances. The peer
// runs twice: as it is usually written, each c from the image; and from where the last c ended, as ours does.
// Prints a table and writes bench/results/NAME.json.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drawExamples, trained, wrongLabels } from '../../dist/experiments/index.js'
import { solvers } from '../../dist/index.js'
import { fc100 } from '../../dist/recipes/index.js'
import { versions } from '../../dist/runtime/index.js'
import { writeSafetensors } from '../../dist/files/index.js'
import { pythonWith } from '../peers/python.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    peer: { type: 'string', default: '50' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rows: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    epochs: { type: 'string' },
    name: { type: 'string', default: 'attacks' },
    dry: { type: 'boolean', default: false },
  },
})
const [images, few, threads, rows] = [options.images, options.peer, options.threads, options.rows].map(Number)
/** Values of c, pairs that are kept, ends. */
const search = { rounds: 12, history: 5, valueTolerance: 1e-7, gradientTolerance: 1e-5 }

const python = few > 0 ? pythonWith({ scipy: 'scipy>=1.15' }) : undefined

const { train, test } = await fc100.data.load()
const epochs = options.epochs === undefined ? undefined : Number(options.epochs)
const network = await trained(fc100, { train, seed: 1, epochs, threads })
const examples = await drawExamples(test, images, 1)
const target = wrongLabels('random', examples, await network.session.predict(examples.x, { prepared: true }), {
  seed: 1,
})
const size = examples.x.length / images

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/** One of ours: compiled, then run. */
async function ours(more = {}) {
  const began = performance.now()
  const attack = await solvers.lbfgsAttack(network.session, network.net, { shape: [rows, size], ...search, ...more })
  const compiled = performance.now()
  const found = await attack.run(examples.x, target)
  const ended = performance.now()
  attack.dispose()
  return { compile: (compiled - began) / 1e3, seconds: (ended - compiled) / 1e3, distortions: [...found.distortion] }
}

const folder = mkdtempSync(join(tmpdir(), 'ostrich-attacks-'))
const path = join(folder, 'attack.safetensors')
const parameters = await network.session.parameters()
const shapes = Object.fromEntries(network.net.parameters.map(({ shape, label }) => [`${label}${shape}`, shape]))
const tensor = (data) => {
  const shape = Object.values(shapes).find((one) => one.reduce((a, b) => a * b, 1) === data.length)
  return { dtype: 'F32', shape, data }
}
await writeSafetensors(path, {
  x: { dtype: 'F32', shape: [few || 1, size], data: examples.x.slice(0, (few || 1) * size) },
  target: { dtype: 'I32', shape: [few || 1], data: target.slice(0, few || 1) },
  ...Object.fromEntries(Object.entries(parameters).map(([name, data]) => [name, tensor(data)])),
})

function peer(start) {
  const { rounds, history, valueTolerance, gradientTolerance } = search
  const args = [path, rounds, history, valueTolerance, gradientTolerance, threads, start].map(String)
  const script = join(here, '../peers/scipy_attacks.py')
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`scipy_attacks.py: ended with ${status}\n${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

const kinds = {
  ours: () => ours(),
  'ours, each c from the image': () => ours({ resume: false }),
  ...(python !== undefined && {
    'SciPy, each c from the image': () => peer('image'),
    'SciPy, resumed': () => peer('resume'),
  }),
}
const all = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [kind, run] of Object.entries(kinds)) {
    process.stderr.write(`\r\x1b[K${kind}: round ${round + 1} of ${options.rounds}`)
    all[kind].push(await run())
  }
}
process.stderr.write('\r\x1b[K')
const device = network.session.device
await network.session.dispose()
rmSync(folder, { recursive: true })

const known = (values) => values.filter((value) => value !== null && !Number.isNaN(value))
const results = Object.entries(all).map(([kind, runs]) => {
  const count = kind.startsWith('ours') ? images : few
  const first = runs[0].distortions.slice(0, few || images)
  return {
    case: 'FC100-100-10',
    metric: kind,
    value: Number(((median(runs.map(({ seconds }) => seconds)) / count) * 1000).toPrecision(4)),
    unit: 's per 1000 attacks',
    measured: count,
    ...(runs[0].compile !== undefined && {
      compile: Number(median(runs.map(({ compile }) => compile)).toPrecision(3)),
    }),
    ...(runs[0].evaluations !== undefined && { evaluations: Number(runs[0].evaluations.toFixed(1)) }),
    ...(runs[0].name !== undefined && { peer: runs[0].name }),
    reached: known(runs[0].distortions).length / count,
    distortion: Number(mean(known(first)).toPrecision(5)),
    distortionOver: first.length,
    ...search,
    rows,
    threads,
    device: `${device.name} (${device.isa})`,
    versions: versions(),
    commit: execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: here, encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
  }
})
for (const { metric, value, distortion, reached } of results) {
  const factor = (value / results[0].value).toFixed(2)
  process.stdout.write(
    `${metric.padEnd(30)} ${String(value).padStart(8)} s per 1000 ${factor.padStart(8)}x  distortion ${distortion}  reached ${(100 * reached).toFixed(1)} %\n`,
  )
}
if (!options.dry) {
  mkdirSync(join(here, '../results'), { recursive: true })
  const file = join(here, '../results', `${options.name}.json`)
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  process.stdout.write(`written to ${file}\n`)
}
