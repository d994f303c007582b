// What is said where a driver or a library is missing, old or out of order: the plugin as it is built, on drivers that are
// made for the purpose. One check for each.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, root, run, settle } from '../support/stages.mjs'
import { header, library } from './toolkit.mjs'

const folder = join(root, 'build/drivers')
export const driver = join(folder, 'libcuda.so.1')

/** A driver of the version $DRIVER_VERSION, whose cuInit answers $DRIVER_INIT, and which has one device. */
export const makeDriver = () => {
  mkdirSync(folder, { recursive: true })
  const names = [...new Set(header('cuda.h').match(/\bcu[A-Z]\w+/g))]
  const own = ['cuDriverGetVersion', 'cuInit', 'cuDeviceGetCount']
  const others = names.filter((name) => !own.includes(name)).map((name) => `int ${name}() { return 1; }`)
  const source = join(folder, 'driver.c')
  const text = `#include <stdlib.h>
static int given(const char* name) { const char* text = getenv(name); return text ? atoi(text) : 0; }
int cuDriverGetVersion(int* version) { *version = given("DRIVER_VERSION"); return 0; }
int cuInit(unsigned flags) { return given("DRIVER_INIT"); }
int cuDeviceGetCount(int* count) { *count = 1; return 0; }
${others.join('\n')}
`
  writeFileSync(source, text)
  return run('cc', ['-w', '-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', source, '-o', driver])
}

const cudnn = (name) => join(folder, 'cudnn', name)
const fetched = 'ostrich/cuda/13/nvidia/cudnn/lib'

/** A cuDNN of this number for CUDA 13, with the part that it needs, in a folder. */
const compileCudnn = (number, into) => {
  mkdirSync(into, { recursive: true })
  const source = cudnn(`${number}.c`)
  const version = (name, value) => `unsigned long ${name}() { return ${value}; }\n`
  writeFileSync(source, version('cudnnGetVersion', number) + version('cudnnGetCudartVersion', 13000))
  if (!run('cc', ['-shared', '-fPIC', source, '-o', join(into, 'libcudnn.so.9')])) return false
  copyFileSync(join(into, 'libcudnn.so.9'), join(into, 'libcudnn_graph.so.9'))
  return true
}

/** One of version 9.1, by its function and, in a folder of its own, by its name; one that calls itself version 8; and a new one as it is fetched. */
const makeCudnn = () => {
  mkdirSync(cudnn('named'), { recursive: true })
  if (!compileCudnn(90100, cudnn('')) || !compileCudnn(92800, cudnn(fetched))) return false
  copyFileSync(cudnn('libcudnn.so.9'), cudnn('libcudnn.so.8'))
  copyFileSync(cudnn('libcudnn.so.9'), cudnn('named/libcudnn.so.9.1.0'))
  rmSync(cudnn('named/libcudnn.so.9'), { force: true })
  symlinkSync('libcudnn.so.9.1.0', cudnn('named/libcudnn.so.9'))
  return true
}

const made = { OSTRICH_CUDA_DRIVER: driver, DRIVER_VERSION: '13000' }
const cases = [
  ['a driver that is not where it is said to be', { OSTRICH_CUDA_DRIVER: '/nowhere' }, /correct OSTRICH_CUDA_DRIVER/],
  [
    'a driver that is too old',
    { ...made, DRIVER_VERSION: '12030' },
    /driver is too old: .* supports CUDA 12\.3, and CUDA 12\.4 is needed; update the driver/,
  ],
  ['no device', { ...made, DRIVER_INIT: '100' }, /no CUDA device: the driver finds no NVIDIA GPU/],
  [
    'no visible device',
    { ...made, DRIVER_INIT: '100', CUDA_VISIBLE_DEVICES: '' },
    /no CUDA device: CUDA_VISIBLE_DEVICES is '', which leaves none visible; unset it/,
  ],
  ['the stub of a toolkit', { ...made, DRIVER_INIT: '34' }, /take its folder out of LD_LIBRARY_PATH/],
  ['a driver that was updated under way', { ...made, DRIVER_INIT: '803' }, /restart the machine/],
  ['a device in exclusive use', { ...made, DRIVER_INIT: '46' }, /another process holds the device in exclusive mode/],
  ['no cuBLASLt', { ...made, OSTRICH_CUBLASLT: '/nowhere' }, /no cuBLASLt: .*install cuBLAS for CUDA 13/],
  [
    'a CUDA_HOME that is no folder',
    { ...made, CUDA_HOME: '/nowhere', XDG_CACHE_HOME: folder },
    /no cuBLASLt: .*CUDA_HOME=\/nowhere is no folder.*install cuBLAS/,
    () => systemHas('libcublasLt.so.13'),
  ],
]

/** Whether the loader finds a library of the system, so that nothing can be said to be missing. */
const systemHas = (name) => {
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' })
  return stdout?.includes(name) ? `the system has ${name}` : undefined
}

// Programs without a convolution do without cuDNN, so that the backend is there: `doctor` shows the reason as the version.
const cudnnCases = [
  [
    'no cuDNN',
    { OSTRICH_CUDNN: '/nowhere' },
    /^no cuDNN: OSTRICH_CUDNN=\/nowhere.*; run `npx ostrich cuda get`.*install cuDNN 9 for CUDA 13/,
  ],
  [
    'cuDNN 8',
    { OSTRICH_CUDNN: cudnn('libcudnn.so.8') },
    /^cuDNN is too old: .* is not of version 9, and cuDNN 9\.12\.0 is needed; run/,
  ],
  [
    'an old cuDNN 9',
    { OSTRICH_CUDNN: cudnn('libcudnn.so.9') },
    /^cuDNN is too old: it is version 9\.1\.0 .*9\.12\.0 is needed; run/,
  ],
  [
    'an old cuDNN 9 in a folder that is named, and a new one that was fetched',
    { OSTRICH_CUDA_LIBRARIES: cudnn('named'), XDG_CACHE_HOME: cudnn('') },
    /^9\.28\.0 \(\S+\/ostrich\/cuda\/13\/nvidia\/cudnn\/lib\/libcudnn\.so\.9; before it \S+\/named\/libcudnn\.so\.9 is of version 9\.1\.0/,
    () => systemHas('libcudnn.so.9'),
  ],
]

const ask = `import { diagnose, openDevice } from '${join(root, 'dist/runtime/index.js')}'
const { backends, versions } = diagnose()
const { reason } = backends.find(({ name }) => name === 'cuda')
const error = await openDevice({ device: 'cuda' }).then(() => undefined, (error) => error)
console.log(JSON.stringify({ reason, cudnn: versions.cuDNN, code: error?.code, message: error?.message }))`

/** What `doctor` and an opened device say in such an environment. */
const said = (given) => {
  const env = { ...process.env, ...given }
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', ask], { env, encoding: 'utf8' })
  return stdout === '' ? { reason: `nothing: ${stderr.slice(-500)}` } : JSON.parse(stdout)
}

export const expectReasons = () => {
  if (!makeDriver() || !makeCudnn()) return settle(false)
  const counts = { ...nothing }
  const count = (name, outcome, text) => {
    counts[outcome]++
    console.log(`${outcome === 'passed' ? 'ok    ' : outcome.toUpperCase().padEnd(6)} ${name}: ${text}`)
  }
  for (const [name, given, expected, whyNot] of cases) {
    const skipped = whyNot?.()
    if (skipped !== undefined) {
      count(name, 'skipped', skipped)
      continue
    }
    const { reason, code, message } = said(given)
    const ok = expected.test(reason) && code === 'ERR_NO_DEVICE' && expected.test(message)
    count(name, ok ? 'passed' : 'failed', reason ?? 'no reason')
  }
  const lt = library('libcublasLt.so.13')
  for (const [name, given, expected, whyNot] of cudnnCases) {
    const skipped = whyNot?.()
    if (skipped !== undefined) {
      count(name, 'skipped', skipped)
      continue
    }
    const { reason, cudnn: found } = said({ ...made, OSTRICH_CUBLASLT: lt, ...given })
    count(name, expected.test(found) ? 'passed' : 'failed', found ?? reason ?? 'no reason')
  }
  return counts
}
