// Every kernel of the plugin as it was compiled, for each architecture: no register spilled, and few enough registers for
// two blocks. One check for each kernel and architecture, from what ptxas said in the build (native/cmake/cuda.cmake).
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, root, run, settle } from '../support/stages.mjs'

const build = join(root, 'build/cuda')
const ARCHITECTURES = ['75', '80', '86', '89', '90', '100', '120']
// Of the 65,536 that a multiprocessor of any of them has, so that two blocks of 256 threads fit.
const REGISTERS = 128

const kernelsOf = (log) =>
  readFileSync(log, 'utf8')
    .split('Compiling entry function ')
    .slice(1)
    .map((text) => ({
      name: text.match(/^'(\w+)'/)[1],
      architecture: text.match(/ for 'sm_(\d+)'/)[1],
      spilled: Number(text.match(/(\d+) bytes spill stores/)[1]),
      registers: Number(text.match(/Used (\d+) registers/)[1]),
    }))

export const expectBudget = () => {
  if (!run('cmake', ['--build', build, '--target', 'ostrich_cuda'])) return settle(false)
  const counts = { ...nothing }
  const sources = readdirSync(join(root, 'native/cuda/kernels')).filter((name) => name.endsWith('.cu'))
  for (const file of sources) {
    const kernels = kernelsOf(join(build, 'fatbins', file.replace(/\.cu$/, '.fatbin.log')))
    for (const architecture of ARCHITECTURES) {
      const own = kernels.filter((kernel) => kernel.architecture === architecture)
      const over = own.filter(({ spilled, registers }) => spilled > 0 || registers > REGISTERS)
      counts.passed += own.length - over.length
      counts.failed += over.length + (own.length === 0 ? 1 : 0)
      for (const { name, spilled, registers } of over) {
        console.log(
          `${file} ${name} sm_${architecture}: ${registers} registers (at most ${REGISTERS}), ${spilled} bytes spilled`,
        )
      }
      const most = Math.max(...own.map(({ registers }) => registers))
      console.log(`${file.padEnd(14)} sm_${architecture.padEnd(4)} ${own.length} kernels, at most ${most} registers`)
    }
  }
  return counts
}
