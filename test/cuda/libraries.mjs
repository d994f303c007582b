// What is said where a driver or a library is missing, old or out of order: the plugin as it is built, on drivers that are
// made for the purpose. One check for each.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, root, run, settle } from '../support/stages.mjs'
import { header } from './toolkit.mjs'

const folder = join(root, 'build/drivers')
const driver = join(folder, 'libcuda.so.1')

/** A driver of the version $DRIVER_VERSION, whose cuInit answers $DRIVER_INIT, and which has one device. */
const makeDriver = () => {
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

const made = { OSTRICH_CUDA_DRIVER: driver, DRIVER_VERSION: '13000' }
const cases = [
  ['a driver that is not where it is said to be', { OSTRICH_CUDA_DRIVER: '/nowhere' }, /correct OSTRICH_CUDA_DRIVER/],
  [
    'a driver that is too old',
    { ...made, DRIVER_VERSION: '11040' },
    /driver is too old: .* supports CUDA 11\.4, and CUDA 12\.0 is needed; update the driver/,
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
]

const ask = `import { diagnose, openDevice } from '${join(root, 'dist/runtime/index.js')}'
const { reason } = diagnose().backends.find(({ name }) => name === 'cuda')
const error = await openDevice({ device: 'cuda' }).then(() => undefined, (error) => error)
console.log(JSON.stringify({ reason, code: error?.code, message: error?.message }))`

export const expectReasons = () => {
  if (!makeDriver()) return settle(false)
  const counts = { ...nothing }
  for (const [name, given, expected] of cases) {
    const env = { ...process.env, ...given }
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', ask], {
      env,
      encoding: 'utf8',
    })
    const said = stdout === '' ? {} : JSON.parse(stdout)
    const ok = expected.test(said.reason) && said.code === 'ERR_NO_DEVICE' && expected.test(said.message)
    counts[ok ? 'passed' : 'failed']++
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${said.reason ?? `no reason: ${stderr.slice(-500)}`}`)
  }
  return counts
}
