// Shows that the proofs can fail: each fault is planted in a copy of one source, which is compiled as it was in the stage
// "double" and linked with that stage's other objects into a backend of its own, and the test that is named for the fault
// must fail. One check for each.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname, join, relative } from 'node:path'
import { borrowRelease, nothing, root, settle } from '../support/stages.mjs'

const sound = join(root, 'build/cuda-double')
const planted = join(root, 'build/faults')

const parity = (op) => ['test/ops', '-t', `${op}.*parity, cuda`]
// Ten steps of each network, which must give the stored losses.
const learning = ['test/e2e/learn.test.ts', '-t', 'stored losses']

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
    file: 'native/program/storage.cc',
    from: 'arena_offset = plan.offsets[i];',
    to: 'arena_offset = plan.offsets[i] / 512 * 256;',
    test: learning,
  },
  {
    name: 'a graph that is not made anew where the arena has moved',
    file: 'native/cuda/cuda_program.cc',
    from: 'if (profile_ == nullptr && (moved || graph_ == nullptr)) capture();',
    to: 'if (profile_ == nullptr && graph_ == nullptr && !moved) capture();',
    test: ['test/e2e/arena.test.ts'],
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
    name: 'a graph that is never destroyed',
    file: 'native/cuda/cuda_program.cc',
    from: 'if (graph_ != nullptr) engine_->context->driver().cuGraphExecDestroy(graph_);',
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
    name: "a recurrent layer's weights where another library has them",
    file: 'native/cuda/kernels/rnn_layer.cc',
    from: 'all.starts.push_back(int64_t(at) / size);',
    to: 'all.starts.push_back(int64_t(all.starts.size()) * spec.h * all.row + int64_t(at) * 0 / size);',
    test: ['test/e2e/library-layers.test.ts', '-t', 'what double precision gives'],
  },
  {
    name: "a recurrent layer's gradients that are added to what was there",
    file: 'native/cuda/kernels/rnn_layer.cc',
    from: 'OSTRICH_CU(context_, cuMemsetD8Async(address(pointers.dweights), 0, plan_->weight_bytes(), stream));',
    to: '',
    test: ['test/e2e/library-layers.test.ts', '-t', 'what double precision gives'],
  },
  {
    name: 'a second bias that is not zero',
    file: 'native/cuda/kernels/rnn_layer.cc',
    from: 'parts.push_back(std::make_unique<Zeros>(builder, weights_));',
    to: '',
    test: ['test/e2e/library-layers.test.ts', '-t', 'what double precision gives'],
  },
  {
    name: 'the gaps of one axis for two that are taken together',
    file: 'native/cuda/kernels/strided_copy.cc',
    from: 'outer = {outer.extent * axis.extent, axis.to_stride, axis.from_stride};',
    to: 'outer = {outer.extent * axis.extent, axis.to_stride, axis.from_stride, 0, outer.inside};',
    test: ['test/ops/random-moves.test.ts', '-t', 'parity, cuda'],
  },
  {
    name: 'a barrier that is missing',
    file: 'native/cuda/kernels/reduce.cu',
    from: 'shared[thread] = total;\n  barrier();',
    to: 'shared[thread] = total;',
    test: parity('sum'),
  },
]

/** What the sound backend consists of: each object's source, and how it was compiled. */
const soundObjects = () =>
  JSON.parse(readFileSync(join(sound, 'compile_commands.json'), 'utf8'))
    .map(({ file, directory, command }) => {
      const [, output] = command.match(/ -o (\S+) -c \S+$/)
      return { source: relative(root, file), object: join(directory, output), directory, command }
    })
    .filter(({ object }) => /\/(core|program|cuda|cuda_double)\.dir\//.test(object))

/** Whether a command succeeds, and the end of what it said. */
const attempt = async (command, args, { cwd = root, env = {} } = {}) => {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)))
  }
  const [status] = await once(child, 'close')
  return { ok: status === 0, said }
}

const must = async (what, ...rest) => {
  const { ok, said } = await attempt(...rest)
  if (!ok) throw new Error(`${what}: expected success, got\n${said}`)
}

/** The test on the backend in a folder. What it counts of lines goes there: the counts of the stage "double" are its own. */
const passes = async (folder, test) => {
  const env = { OSTRICH_ADDON: join(folder, 'ostrich.node'), OSTRICH_REQUIRE: 'cuda', OSTRICH_TEST_DEVICE: 'cuda' }
  const runner = join(root, 'node_modules/vitest/vitest.mjs')
  const options = { env: { ...env, GCOV_PREFIX: join(folder, 'counts') } }
  return (await attempt(process.execPath, [runner, 'run', ...test], options)).ok
}

/** Compiles the faulty source; gives the backend's objects with it. */
const compile = async ({ file, from, to }, folder, objects) => {
  const text = readFileSync(join(root, file), 'utf8')
  if (!text.includes(from)) throw new Error(`${file}: expected to hold ${from}`)
  const copy = join(folder, file)
  mkdirSync(dirname(copy), { recursive: true })
  writeFileSync(copy, text.replace(from, to))
  const { object, directory, command } = objects.find(({ source }) => source === file)
  const own = join(folder, `${basename(file)}.o`)
  const inserted = command.replace(/ -o \S+ -c \S+$/, ` -o ${own} -c ${copy}`)
  await must(`${file}: compiling the fault`, 'sh', ['-c', inserted], { cwd: directory })
  return objects.map((one) => (one.object === object ? own : one.object))
}

const link = async (objects, folder) => {
  const list = join(folder, 'objects.txt')
  writeFileSync(list, objects.join('\n'))
  const exported = `-Wl,--version-script=${join(root, 'test/native/cuda/exports.map')}`
  const options = ['-shared', '--coverage', '-static-libstdc++', '-Wl,--gc-sections,-z,defs,-z,nodelete', exported]
  const linked = [...options, '-o', join(folder, 'ostrich_cuda.so'), `@${list}`, '-lpthread', '-ldl']
  await must(`${folder}: linking`, 'c++', linked)
  borrowRelease(folder, ['ostrich_cuda.so'])
}

/** As many at a time as there are cores. */
const forEach = async (items, act) => {
  const waiting = [...items]
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

const folderOf = (name) => {
  const folder = join(planted, name.replaceAll(/\W+/g, '-'))
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Whether every test passes on the same objects, linked here without a fault. */
const isSound = async (objects) => {
  const folder = folderOf('none')
  await link(
    objects.map(({ object }) => object),
    folder,
  )
  const tests = new Map(faults.map(({ test }) => [test.join(' '), test]))
  let sound = true
  await forEach(tests, async ([name, test]) => {
    if (await passes(folder, test)) return
    console.log(`expected ${name} to pass without a fault`)
    sound = false
  })
  return sound
}

export const catchFaults = async () => {
  if (!existsSync(join(sound, 'ostrich_cuda.so'))) {
    console.log(`expected ${sound}, which the stage "double" builds`)
    return settle(false)
  }
  rmSync(planted, { recursive: true, force: true })
  const objects = soundObjects()
  if (!(await isSound(objects))) return settle(false)
  const counts = { ...nothing }
  await forEach(faults, async (fault) => {
    const folder = folderOf(fault.name)
    let outcome = 'MISSED'
    try {
      await link(await compile(fault, folder, objects), folder)
      if (!(await passes(folder, fault.test))) outcome = 'caught'
    } catch (error) {
      outcome = `FAILED (${error.message})`
    }
    counts[outcome === 'caught' ? 'passed' : 'failed']++
    console.log(`${outcome}  ${fault.name}: ${fault.test.join(' ')}`)
  })
  return counts
}
