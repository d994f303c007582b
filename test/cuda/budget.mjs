// Every kernel, compiled for the oldest and for a current architecture: no register spilled, and few enough registers
// for a full block. One check for each kernel and architecture.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, root } from '../support/stages.mjs'
import { toolkit } from './toolkit.mjs'

const ARCHITECTURES = ['75', '90', '120']
// A block of 256 threads: 96 registers a thread leave room for two blocks on every architecture.
const REGISTERS = 96

const compile = (nvcc, source, architecture) => {
  const rooms = ['cuda', 'program', 'math', 'core'].map((room) => `-I${join(root, 'build/cuda/rooms', room)}`)
  const flags = ['-std=c++17', '-fmad=false', '-Werror', 'all-warnings', '-Xptxas', '-v', `-arch=sm_${architecture}`]
  const output = join(root, 'build/budget.cubin')
  const { status, stderr } = spawnSync(nvcc, ['-cubin', ...flags, ...rooms, '-o', output, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stderr
    .split('Compiling entry function ')
    .slice(1)
    .map((text) => ({
      name: text.match(/^'(\w+)'/)[1],
      spilled: Number(text.match(/(\d+) bytes spill stores/)[1]),
      registers: Number(text.match(/Used (\d+) registers/)[1]),
    }))
}

export const expectBudget = () => {
  mkdirSync(join(root, 'build'), { recursive: true })
  const nvcc = join(toolkit, 'bin/nvcc')
  const folder = join(root, 'native/cuda/kernels')
  const counts = { ...nothing }
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.cu'))) {
    for (const architecture of ARCHITECTURES) {
      const kernels = compile(nvcc, join(folder, file), architecture)
      const over = kernels.filter(({ spilled, registers }) => spilled > 0 || registers > REGISTERS)
      counts.passed += kernels.length - over.length
      counts.failed += over.length
      for (const { name, spilled, registers } of over) {
        console.log(
          `${file} ${name} sm_${architecture}: ${registers} registers (at most ${REGISTERS}), ${spilled} bytes spilled`,
        )
      }
      const most = Math.max(...kernels.map(({ registers }) => registers))
      console.log(
        `${file.padEnd(14)} sm_${architecture.padEnd(4)} ${kernels.length} kernels, at most ${most} registers`,
      )
    }
  }
  return counts
}
