// The CUDA toolkit: the one that CUDA_HOME or CUDA_PATH names or that nvcc on the path belongs to, where it is of
// version 13 and has cuDNN's and cudnn-frontend's headers, else the pinned wheels of cuda.txt in native/.deps/cuda.
// native/.deps/cuda-root.cmake says which; native/cmake/cuda.cmake reads it.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from './exec.mjs'
import { hashOf } from './stamp.mjs'
import { installPackages, which } from './system.mjs'

const MAJOR = 13

const versionOf = (toolkit) => {
  const nvcc = spawnSync(join(toolkit, 'bin/nvcc'), ['--version'], { encoding: 'utf8' })
  return nvcc.status === 0 ? Number(nvcc.stdout.match(/release (\d+)/)?.[1]) : undefined
}

/** Include folders of a system toolkit that has all that is needed, else undefined. */
const systemIncludes = (toolkit) => {
  if (versionOf(toolkit) !== MAJOR) return undefined
  const folders = [join(toolkit, 'include'), '/usr/include', '/usr/include/x86_64-linux-gnu', '/usr/local/include']
  const holds = (name) => folders.find((folder) => existsSync(join(folder, name)))
  const found = ['cuda.h', 'cublasLt.h', 'cudnn.h', 'cudnn_frontend.h'].map(holds)
  return found.includes(undefined) ? undefined : [...new Set(found)].filter((folder) => folder !== '/usr/include')
}

const systemToolkit = () => {
  const nvcc = which('nvcc')
  const roots = [process.env.CUDA_HOME, process.env.CUDA_PATH, nvcc && dirname(dirname(nvcc)), '/usr/local/cuda']
  for (const root of roots.filter(Boolean)) {
    const includes = systemIncludes(root)
    if (includes !== undefined) return { root, includes }
  }
  return undefined
}

/** Unpacks the wheels that a file of `requirements` pins into `target`: all of them, or nothing is there. */
const fetchWheels = async (title, target, requirements) => {
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) await installPackages(title, ['python3-pip'])
  const staged = `${target}-staged`
  rmSync(staged, { recursive: true, force: true })
  const pip = ['-m', 'pip', 'install', '--no-deps', '--only-binary', ':all:', '--require-hashes', '--target', staged]
  await run(title, 'python3', [...pip, '--no-compile', '-r', requirements])
  rmSync(target, { recursive: true, force: true })
  renameSync(staged, target)
}

const fetchToolkit = async (title, deps, requirements) => {
  const target = join(deps, 'cuda')
  await fetchWheels(title, target, requirements)
  const root = join(target, 'nvidia/cu13')
  rmSync(join(root, 'lib64'), { force: true })
  symlinkSync('lib', join(root, 'lib64')) // where nvcc looks
  const includes = [join(target, 'include'), join(root, 'include'), join(root, 'include/cccl')]
  return { root, includes: [...includes, join(target, 'nvidia/cudnn/include')] }
}

export const toolkitStep = (root) => {
  const pins = ['cuda.txt', 'cuda-libraries-13.txt'].map((name) => `native/setup/${name}`)
  const deps = join(root, 'native/.deps')
  const answer = join(deps, 'cuda-root.cmake')
  return {
    name: 'CUDA toolkit',
    key: () => [root, process.env.CUDA_HOME, process.env.CUDA_PATH, hashOf(root, pins)].join(' '),
    ready: () => {
      if (!existsSync(answer)) return false
      const named = readFileSync(answer, 'utf8').match(/OSTRICH_CUDA_ROOT "(.*)"\)/)?.[1]
      return named !== undefined && existsSync(join(named, 'bin/nvcc'))
    },
    act: async (title) => {
      mkdirSync(deps, { recursive: true })
      const system = systemToolkit()
      const toolkit = system ?? (await fetchToolkit(title, deps, join(root, 'native/setup/cuda.txt')))
      const quoted = toolkit.includes.map((folder) => `"${folder}"`).join(' ')
      writeFileSync(answer, `set(OSTRICH_CUDA_ROOT "${toolkit.root}")\nset(OSTRICH_CUDA_INCLUDES ${quoted})\n`)
      return system === undefined ? 'fetched, hashes checked' : `the system's, ${system.root}`
    },
  }
}

/** For tests: the oldest cuDNN that is supported, in native/.deps/cudnn-oldest. */
export const oldestCudnnStep = (root) => {
  const target = join(root, 'native/.deps/cudnn-oldest')
  const requirements = 'native/setup/cudnn-oldest.txt'
  return {
    name: 'oldest cuDNN',
    key: () => hashOf(root, [requirements]),
    ready: () => existsSync(join(target, 'nvidia/cudnn/lib')),
    act: async (title) => {
      await fetchWheels(title, target, join(root, requirements))
      return 'fetched, hash checked'
    },
  }
}

/** Builds ostrich_cuda.so in a folder of its own and puts it beside the addon. */
export const backendStep = (root) => {
  const build = join(root, 'build/cuda')
  const plugin = join(root, 'build/Release/ostrich_cuda.so')
  return {
    name: 'CUDA backend',
    key: () => root + hashOf(root, ['native', 'CMakeLists.txt'], /\.(cc|cu|h|def|map|cmake|txt)$/),
    ready: () => existsSync(plugin),
    act: async (title) => {
      const generator = which('ninja') === undefined ? [] : ['-G', 'Ninja']
      const options = ['-DCMAKE_BUILD_TYPE=Release', '-DOSTRICH_CUDA=ON', '-DOSTRICH_TESTS=OFF']
      await run(title, 'cmake', ['-S', root, '-B', build, ...generator, ...options])
      const jobs = String(availableParallelism())
      await run(title, 'cmake', ['--build', build, '--target', 'ostrich_cuda', '--parallel', jobs])
      copyFileSync(join(build, 'ostrich_cuda.so'), plugin)
      return 'built'
    },
  }
}
