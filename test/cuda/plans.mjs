// The real cuDNN, the newest and the oldest that is supported, plans every convolution that the double was asked for, for
// GPUs that are not here. One check for each convolution, GPU and version.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { add, nothing, root, run, settle } from '../support/stages.mjs'

const build = join(root, 'build/cuda')
const packages = join(root, 'native/.deps/cuda')
const oldestBf16 = 80
const maxBuffer = 256 * 1024 * 1024

/** stand_in.cc with a refusal for every other function that cuDNN links or that cuda.h declares. */
const standIn = () => {
  const folder = join(root, 'build/stand-in')
  mkdirSync(folder, { recursive: true })
  const libraries = join(packages, 'nvidia/cudnn/lib')
  const files = readdirSync(libraries).map((name) => join(libraries, name))
  const linked = spawnSync('nm', ['-D', '--undefined-only', ...files], { encoding: 'utf8', maxBuffer }).stdout
  const declared = readFileSync(join(packages, 'nvidia/cu13/include/cuda.h'), 'utf8')
  const own = readFileSync(join(root, 'test/cuda/stand_in.cc'), 'utf8')
  const names = new Set(`${linked} ${declared}`.match(/\bcu[A-Z]\w+/g))
  const others = [...names].filter((name) => !new RegExp(`\\b${name}\\(`).test(own)).sort()
  const refusals = others.map((name) => `extern "C" int ${name}() { return 100; }`)
  const source = join(folder, 'cuda.cc')
  writeFileSync(source, `${own}\n${refusals.join('\n')}\n`)
  const file = join(folder, 'libcuda.so.1')
  return run('c++', ['-w', '-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', source, '-o', file, '-ldl'])
    ? file
    : undefined
}

const wanted = (keys, gpu) => {
  const { deviceVer } = JSON.parse(readFileSync(gpu, 'utf8'))
  const all = [...new Set(readFileSync(keys, 'utf8').split('\n').filter(Boolean))].sort()
  // The backend refuses bf16 below compute capability 8.0 before cuDNN is asked.
  const known = all.filter((key) => deviceVer / 10 >= oldestBf16 || !key.includes(' bf16>'))
  return { known, left: all.length - known.length }
}

// [what it is called here, where it lies]
const versions = [
  ['newest', join(packages, 'nvidia/cudnn/lib/libcudnn.so.9')],
  ['oldest', join(root, 'native/.deps/cudnn-oldest/nvidia/cudnn/lib/libcudnn.so.9')],
]

const planFor = (gpu, keys, driver, [version, cudnn]) => {
  const { known, left } = wanted(keys, gpu)
  const list = join(root, 'build/wanted.txt')
  writeFileSync(list, `${known.join('\n')}\n`)
  const env = {
    ...process.env,
    OSTRICH_CUDA_DRIVER: driver,
    OSTRICH_CUDNN: cudnn,
    LD_LIBRARY_PATH: [join(root, 'build/stand-in'), join(packages, 'nvidia/cu13/lib')].join(':'),
  }
  const { stdout, stderr } = spawnSync(join(build, 'plan_convs'), [gpu, list], { env, encoding: 'utf8', maxBuffer })
  const lines = stdout.split('\n').filter(Boolean)
  const refused = lines.filter((line) => line.includes('\tREFUSED: '))
  for (const line of refused) console.log(line)
  if (lines.length < known.length) console.log(stderr.slice(-2000))
  const apart = lines.filter((line) => line.includes('\tapart from')).length
  const failed = refused.length + known.length - lines.length
  console.log(
    `${version} cuDNN, ${basename(gpu, '.json').padEnd(8)} ${lines.length - refused.length} planned (${apart} without fused bias and ` +
      `activation), ${failed} refused, ${left} left out for want of bf16`,
  )
  return { passed: lines.length - refused.length, failed, skipped: 0 }
}

export const planConvolutions = (keys) => {
  if (!existsSync(keys)) {
    console.log(`expected ${keys}, which the stage "double" writes`)
    return settle(false)
  }
  const driver = standIn()
  if (driver === undefined || !run('cmake', ['--build', build, '--target', 'plan_convs'])) return settle(false)
  const gpus = readdirSync(join(root, 'test/cuda/gpus')).filter((name) => name.endsWith('.json'))
  return versions
    .flatMap((version) => gpus.map((gpu) => planFor(join(root, 'test/cuda/gpus', gpu), keys, driver, version)))
    .reduce(add, nothing)
}
