// ostrich bench: the steps that the repository measures beside PyTorch (they live there, not in the package), and AlexNet's
// rate beside "~5 days on a GTX Titan", which every installation can measure.
import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { command, type Output, UsageError } from './command.js'
import { deviceOption } from './device-option.js'
import { titan } from './titan.js'

const script = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url))

export const bench = command({
  name: 'bench',
  summary: 'measure training steps on this machine',
  arguments: ['[titan]'],
  about: [
    'Without an argument, runs the benchmarks of a checkout of the repository; with --peers it sets up PyTorch in a virtual',
    'environment of its own (about 5 GB, once) and measures both in turn.',
    'titan: AlexNet’s training rate beside the lecture’s "~5 days on a GTX Titan" (267 images/s) and the published history;',
    'prints a table and writes titan.svg and titan.json.',
  ].join('\n'),
  options: {
    peers: { type: 'flag', help: 'measure PyTorch beside it' },
    only: { type: 'text', value: 'cases', help: 'names of cases, with commas between; of titan: f32/synthetic' },
    rounds: { type: 'whole', help: 'rounds of which the median counts' },
    network: {
      type: 'text',
      choices: ['alexnet', 'alexnet-one-tower'],
      help: 'of titan (default alexnet-one-tower)',
    },
    batch: { type: 'whole', help: 'of titan: images per step (default 128)' },
    steps: { type: 'whole', help: 'of titan: steps that are timed (default 20)' },
    data: { type: 'text', value: 'folder', help: 'of titan: packed images to read as well' },
    device: deviceOption,
    threads: { type: 'whole', help: 'of titan: threads of the CPU (default 0: all cores)' },
    out: { type: 'text', value: 'folder', help: 'of titan: where titan.svg and titan.json go (default .)' },
    json: { type: 'flag', help: 'of titan: print JSON' },
  },
  examples: ['ostrich bench', 'ostrich bench --peers --only mlp', 'ostrich bench titan'],
  run: async ({ peers, only, rounds, ...values }, [what], output) => {
    if (what === undefined) return repository({ peers, only, rounds }, output)
    if (what !== 'titan') throw new UsageError(`bench: expected titan or nothing, got ${what}`)
    const { network = 'alexnet-one-tower', batch = 128, steps = 20, device = 'auto', threads = 0 } = values
    if (batch === 0 || steps === 0) throw new UsageError('--batch and --steps expect at least 1, got 0')
    const { data, out = '.', json = false } = values
    const choice = { network, batch, steps, device, threads, out, json }
    return titan({ ...choice, ...(only !== undefined && { only }), ...(data !== undefined && { data }) }, output)
  },
})

interface Repository {
  readonly peers: boolean | undefined
  readonly only: string | undefined
  readonly rounds: number | undefined
}

async function repository({ peers, only, rounds }: Repository, output: Output): Promise<number> {
  const present = await access(script).then(
    () => true,
    () => false,
  )
  if (!present) {
    output.line('The benchmarks are in the repository: clone it, then run: npm run bench')
    return 0
  }
  const args = [
    ...(peers === true ? ['--peers'] : []),
    ...(only === undefined ? [] : ['--only', only]),
    ...(rounds === undefined ? [] : ['--rounds', rounds.toString()]),
  ]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' })
    child.on('close', (code) => {
      resolve(code ?? 1)
    })
  })
}
