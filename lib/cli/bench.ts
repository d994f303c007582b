// ostrich bench: measurements live in the repository, not in the package; this runs them where they are.
import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { command } from './command.js'

const script = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url))

export const bench = command({
  name: 'bench',
  summary: 'measure training steps on this machine',
  arguments: [],
  about:
    'Runs the benchmarks of a checkout of the repository. With --peers it sets up PyTorch in a virtual environment of its own\n(about 5 GB, once) and measures both in turn.',
  options: {
    peers: { type: 'flag', help: 'measure PyTorch beside it' },
    only: { type: 'text', value: 'cases', help: 'names of cases, with commas between' },
    rounds: { type: 'whole', help: 'rounds of which the median counts' },
  },
  examples: ['ostrich bench', 'ostrich bench --peers --only mlp'],
  run: async ({ peers, only, rounds }, _positionals, output) => {
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
  },
})
