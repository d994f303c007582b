// The real cuDNN, the newest and the oldest that is supported, plans every convolution of every recipe and of the op cases
// for GPUs that are not here, and accepts every recurrent layer, of which only the first GPU's list tells. One check for each convolution, GPU and
// version, and for each layer and version. The double says which those are: it compiles all recipes here (recipe-convs.mjs), and the stage "double" has written down those of the cases.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { add, nothing, root, run, settle } from '../support/stages.mjs'
import { header, library, libraryFolders, oldestCudnn } from './toolkit.mjs'

const build = join(root, 'build/cuda')
const double = join(root, 'build/cuda-double/ostrich.node')
const gpus = join(root, 'test/cuda/gpus')
const oldestBf16 = 80
const maxBuffer = 256 * 1024 * 1024

/** stand_in.cc with a refusal for every other function that cuDNN links or that cuda.h declares. */
const standIn = (cudnn) => {
  const folder = join(root, 'build/stand-in')
  mkdirSync(folder, { recursive: true })
  const files = readdirSync(dirname(cudnn))
    .filter((name) => name.startsWith('libcudnn'))
    .map((name) => join(dirname(cudnn), name))
  const linked = spawnSync('nm', ['-D', '--undefined-only', ...files], { encoding: 'utf8', maxBuffer }).stdout
  const own = readFileSync(join(root, 'test/cuda/stand_in.cc'), 'utf8')
  const names = new Set(`${linked} ${header('cuda.h')}`.match(/\bcu[A-Z]\w+/g))
  const others = [...names].filter((name) => !new RegExp(`\\b${name}\\(`).test(own)).sort()
  const refusals = others.map((name) => `extern "C" int ${name}() { return 100; }`)
  const source = join(folder, 'cuda.cc')
  writeFileSync(source, `${own}\n${refusals.join('\n')}\n`)
  const file = join(folder, 'libcuda.so.1')
  return run('c++', ['-w', '-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', source, '-o', file, '-ldl'])
    ? file
    : undefined
}

// It learns nothing here and says so, which matters to nobody.
const selfTest = `import { selfTest } from '${join(root, 'dist/recipes/index.js')}'
await selfTest()`

/** Has the double write down the convolutions of all recipes and of the self-test; false after a failure. */
const compileRecipes = (file) => {
  rmSync(file, { force: true })
  const env = {
    OSTRICH_ADDON: double,
    OSTRICH_DOUBLE_CONVS: file,
    OSTRICH_DOUBLE_IDLE: '1',
    OSTRICH_DOUBLE_MEMORY: String(80 * 2 ** 30),
    // What the double takes for the fastest is nothing to remember.
    XDG_CACHE_HOME: '',
    HOME: '',
  }
  // `ostrich doctor` trains in the precision that the device has: bf16 and f32 here.
  const doctor = (sm) =>
    run(process.execPath, ['--input-type=module', '-e', selfTest], { ...env, OSTRICH_DOUBLE_SM: sm })
  return run(process.execPath, [join(root, 'test/cuda/recipe-convs.mjs')], env) && doctor('90') && doctor('75')
}

const linesOf = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean)

/**
 * The convolutions to plan for a GPU, those that need no plan of their own, and how many it cannot compute. A
 * deterministic device chooses among fewer engines for the same graph: what it can plan, the other can.
 */
const isLayer = (key) => /^(lstm|tanh) t/.test(key)

const wanted = (all, gpu) => {
  const { deviceVer } = JSON.parse(readFileSync(gpu, 'utf8'))
  // The backend refuses bf16 below compute capability 8.0 before cuDNN is asked.
  const known = all.filter((key) => deviceVer / 10 >= oldestBf16 || !key.includes(' bf16>'))
  const twins = new Set(known.filter((key) => known.includes(`${key} det`)))
  return { keys: known.filter((key) => !twins.has(key)), twins, left: all.length - known.length }
}

const planFor = async ({ gpu, version, cudnn, first }, all, driver) => {
  const asked = first ? all : all.filter((key) => !isLayer(key))
  const { keys, twins, left } = wanted(asked, join(gpus, `${gpu}.json`))
  const list = join(root, `build/wanted-${gpu}-${version}.txt`)
  writeFileSync(list, `${keys.join('\n')}\n`)
  const path = [dirname(driver), ...libraryFolders].join(delimiter)
  const env = { ...process.env, OSTRICH_CUDA_DRIVER: driver, OSTRICH_CUDNN: cudnn, LD_LIBRARY_PATH: path }
  const child = spawn(join(build, 'plan_convs'), [join(gpus, `${gpu}.json`), list], { env })
  const said = { stdout: '', stderr: '' }
  for (const name of Object.keys(said)) child[name].setEncoding('utf8').on('data', (text) => (said[name] += text))
  await once(child, 'close')
  rmSync(list)
  const lines = said.stdout.split('\n').filter(Boolean)
  const refused = lines.filter((line) => line.includes('\tREFUSED: '))
  for (const line of refused) console.log(line)
  if (lines.length < keys.length) console.log(said.stderr.slice(-2000))
  const failed = refused.length + keys.length - lines.length
  const planned = lines.filter((line) => !refused.includes(line))
  const twinned = planned.filter((line) => twins.has(line.replace(/ det\t.*/, ''))).length
  const apart = lines.filter((line) => line.includes('\tapart from')).length
  console.log(
    `${version} cuDNN, ${gpu.padEnd(8)} ${planned.length} planned (${apart} without a fused bias), which hold ` +
      `for ${twinned} more that need not be deterministic, ${failed} refused, ${left} left out for want of bf16`,
  )
  return { passed: planned.length + twinned, failed, skipped: 0 }
}

/** One process for each core. */
const planAll = async (all, driver, newest) => {
  const versions = [
    ['newest', newest],
    ['oldest', oldestCudnn],
  ]
  const names = readdirSync(gpus).map((name) => basename(name, '.json'))
  const tasks = versions.flatMap(([version, cudnn]) => names.map((gpu, i) => ({ gpu, version, cudnn, first: i === 0 })))
  let total = nothing
  const work = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      total = add(total, await planFor(task, all, driver))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return total
}

/** `fromTests` is what the stage "double" has written down. */
export const planConvolutions = async (fromTests) => {
  for (const file of [fromTests, double]) {
    if (existsSync(file)) continue
    console.log(`expected ${file}, which the stage "double" makes`)
    return settle(false)
  }
  const fromRecipes = join(root, 'build/recipe-convolutions.txt')
  const newest = library('libcudnn.so.9')
  const driver = standIn(newest)
  if (driver === undefined || !compileRecipes(fromRecipes)) return settle(false)
  if (!run('cmake', ['--build', build, '--target', 'plan_convs'])) return settle(false)
  const all = [...new Set([fromTests, fromRecipes].flatMap(linesOf))].sort()
  console.log(
    `${all.filter(isLayer).length} recurrent layers, ${all.filter((key) => !isLayer(key)).length} convolutions`,
  )
  return planAll(all, driver, newest)
}
