// Shows that the proofs can fail: each fault is planted in a copy of the sources, the backend is built on the double and
// put beside the sound addon of the stage "double", and the test that is named for the fault must fail. One check for each.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { jobs, nothing, root, run, settle } from '../support/stages.mjs'

const tree = join(root, 'build/faults/tree')
const build = join(root, 'build/faults/out')
const sound = join(root, 'build/cuda-double')
const beside = ['ostrich.node', 'ostrich_cpu.so', 'libdnnl.so.3', 'libgomp.so.1']

const parity = (op) => ['test/ops', '-t', `${op}.*parity, cuda`]
const learning = ['test/e2e/learn.test.ts']

const faults = [
  {
    name: 'a wrong leading dimension',
    file: 'native/cuda/gemm.cc',
    from: 'uint64_t(columns), rows),',
    to: 'uint64_t(columns), rows + 1),',
    test: parity('matmul'),
  },
  {
    name: 'no wait for the feeds',
    file: 'native/cuda/cuda_program.cc',
    from: 'OSTRICH_CU(context, cuStreamWaitEvent(compute, lane.arrived.get(), 0));',
    to: '',
    test: learning,
  },
  {
    name: 'feeds of the first run in every run',
    file: 'native/cuda/cuda_program.cc',
    from: 'std::memcpy(lane.feeds.data()',
    to: 'if (started_ < 2) std::memcpy(lane.feeds.data()',
    test: learning,
  },
  {
    name: 'ranges of the arena that overlap',
    file: 'native/program/storage.h',
    from: 'arena_offset = plan.offsets[i];',
    to: 'arena_offset = plan.offsets[i] / 512 * 256;',
    test: learning,
  },
  {
    name: "a product's workspace that is one byte short",
    file: 'native/cuda/gemm.cc',
    from: '&candidate.algo, workspace, candidate.workspaceSize, stream)',
    to: '&candidate.algo, workspace, candidate.workspaceSize - 1, stream)',
    test: parity('matmul'),
  },
  {
    name: 'device memory that is never given back',
    file: 'native/cuda/context.cc',
    from: 'if (data_ != nullptr) context_->free(data_);',
    to: '',
    test: ['test/e2e/cuda.test.ts', '-t', 'an old device'],
  },
  {
    name: "a convolution's workspace that is too small",
    file: 'native/cuda/kernels/conv2d.cc',
    from: 'builder.scratch(plan_->workspace_bytes())',
    to: 'builder.scratch(plan_->workspace_bytes() / 8)',
    test: parity('conv2d'),
  },
  {
    name: 'states written after bad data',
    file: 'native/cuda/kernels/pointwise.cu',
    from: 'if (args.fault->site != 0) return;',
    to: '',
    test: ['test/e2e/bad-data.test.ts'],
  },
  {
    name: 'a barrier that is missing',
    file: 'native/cuda/kernels/reduce.cu',
    from: 'shared[thread] = total;\n  barrier();',
    to: 'shared[thread] = total;',
    test: parity('sum'),
  },
]

const copySources = () => {
  mkdirSync(tree, { recursive: true })
  for (const part of ['native', 'test/native', 'CMakeLists.txt', 'package.json']) {
    rmSync(join(tree, part), { recursive: true, force: true })
    cpSync(join(root, part), join(tree, part), { recursive: true, filter: (path) => basename(path) !== '.deps' })
  }
  for (const link of ['native/.deps', 'node_modules']) {
    if (!existsSync(join(tree, link))) symlinkSync(join(root, link), join(tree, link))
  }
}

const quietly = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8' }).status === 0

const compiles = () => quietly('cmake', ['--build', build, '--target', 'ostrich_cuda', '--parallel', jobs])
const passes = (test) => {
  const env = { OSTRICH_ADDON: join(build, 'ostrich.node'), OSTRICH_REQUIRE: 'cuda', OSTRICH_TEST_DEVICE: 'cuda' }
  return quietly(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...test], env)
}

const isCaught = ({ file, from, to, test }) => {
  const path = join(tree, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file}: expected to hold ${from}`)
  writeFileSync(path, text.replace(from, to))
  try {
    if (!compiles()) throw new Error(`${file}: the planted fault does not compile`)
    return !passes(test)
  } finally {
    writeFileSync(path, text)
  }
}

export const catchFaults = () => {
  if (!existsSync(join(sound, beside[0]))) {
    console.log(`expected ${sound}, which the stage "double" builds`)
    return settle(false)
  }
  copySources()
  const options = ['-DOSTRICH_TESTS=ON', '-DOSTRICH_CUDA=ON', '--log-level=WARNING']
  if (!run('cmake', ['-S', tree, '-B', build, ...options]) || !compiles()) return settle(false)
  for (const name of beside) copyFileSync(join(sound, name), join(build, name))
  const counts = { ...nothing }
  const tests = new Map(faults.map(({ test }) => [test.join(' '), test]))
  for (const [name, test] of tests) {
    if (passes(test)) continue
    console.log(`expected ${name} to pass without a fault`)
    return settle(false)
  }
  for (const fault of faults) {
    const caught = isCaught(fault)
    counts[caught ? 'passed' : 'failed']++
    console.log(`${caught ? 'caught' : 'MISSED'}  ${fault.name}: ${fault.test.join(' ')}`)
  }
  return counts
}
