// The tarball with the CUDA backend in it: packed, installed into an empty folder, NVIDIA's libraries fetched into a cache of its own from wheels
// that lie in a folder, and opened from there; and a training run on the double in the place of the packed backend.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nothing, root, run, settle } from '../support/stages.mjs'
import { makeDriver, driver } from './libraries.mjs'

const LIMIT = 40_000_000
const plugin = 'ostrich_cuda.so'
const wheels = join(root, 'build/wheels')
const pins = 'native/setup/cuda-libraries-13.txt'

const user = `import { nn, optim, train } from 'ostrich'
import { arrays } from 'ostrich/data'
const rows = 640
const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i * 12.9898) + (Math.floor(i / 4) % 2 ? 1 : -1))
const target = Int32Array.from({ length: rows }, (_, i) => i % 2)
const session = await train.session(nn.sequential(nn.linear(4, 16), nn.relu(), nn.linear(16, 2)), {
  data: { train: arrays({ x: { data: x, shape: [4] }, target }) },
  loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 0.1, momentum: 0.9 }), batch: 64, epochs: 1, device: 'cuda', seed: 1 })
const losses = []
for await (const event of session.events()) if (event.type === 'step') losses.push(event.loss)
await session.dispose()
console.log(JSON.stringify(losses))
`

/** Where pip was made to put the wheels; its cache has them where set-up has just fetched a toolkit. */
const downloadWheels = () => {
  mkdirSync(wheels, { recursive: true })
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-d', wheels]
  return run('python3', [...pip, '-r', join(root, pins)])
}

const packed = (folder) => {
  if (!run(process.execPath, [join(root, 'native/prebuild.mjs'), '--cuda'])) return undefined
  const options = { cwd: root, encoding: 'utf8' }
  const { stdout, status } = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], options)
  return status === 0 ? join(folder, stdout.trim()) : undefined
}

export const tryPackage = () => {
  const folder = mkdtempSync(join(tmpdir(), 'ostrich-package-'))
  try {
    return tried(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const tried = (folder) => {
  const counts = { ...nothing }
  const check = (name, ok, text) => {
    counts[ok ? 'passed' : 'failed']++
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${text}`)
  }
  const tarball = packed(folder)
  if (tarball === undefined || !downloadWheels() || !makeDriver()) return settle(false)
  const { size } = statSync(tarball)
  check('the size of the tarball', size < LIMIT, `${(size / 1e6).toFixed(1)} MB`)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball]
  if (spawnSync('npm', install, { cwd: folder, stdio: 'inherit' }).status !== 0) return settle(false, counts)
  const prebuilds = join(folder, 'node_modules/ostrich/prebuilds/linux-x64')
  check('the backend in it', existsSync(join(prebuilds, plugin)), readdirSync(prebuilds).join(', '))

  const cache = join(folder, 'cache')
  const env = {
    ...process.env,
    XDG_CACHE_HOME: cache,
    LD_LIBRARY_PATH: '',
    VIRTUAL_ENV: '',
    CUDA_HOME: '',
    CUDA_PATH: '',
  }
  const ostrich = (args, more = {}) => {
    const main = join(folder, 'node_modules/ostrich/dist/cli/main.js')
    return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', env: { ...env, ...more } })
  }
  const found = (more) => {
    const { stdout, stderr } = ostrich(['doctor', '--json'], more)
    if (stdout === '') return { versions: {}, cuda: { reason: stderr } }
    const { versions, backends } = JSON.parse(stdout)
    return { versions, cuda: backends.find(({ name }) => name === 'cuda') }
  }
  const bare = found({ OSTRICH_CUDA_DRIVER: '/nowhere' })
  check('without a driver', /^no NVIDIA driver/.test(bare.cuda.reason), bare.cuda.reason)
  const got = ostrich(['cuda', 'get', '--cuda', '13', '--from', wheels])
  check('cuda get --from', got.status === 0, got.stdout.trim() || got.stderr.slice(-500))
  const { versions, cuda } = found({ OSTRICH_CUDA_DRIVER: driver, DRIVER_VERSION: '13000' })
  check('the backend on what was fetched', cuda.available === true, cuda.reason ?? 'available')
  for (const [name, version] of [
    ['cuBLASLt', /^13\.0\.2 \(/],
    ['cuDNN', /^9\.28\.1 \(/],
  ]) {
    const text = versions[name] ?? 'none'
    check(name, version.test(text) && text.includes(`(${cache}/ostrich/cuda/13/nvidia/`), text)
  }

  const double = join(root, 'build/cuda-double', plugin)
  if (!existsSync(double)) {
    check('the double', false, `expected ${double}, got none: node test/cuda/run.mjs double`)
    return counts
  }
  copyFileSync(double, join(prebuilds, plugin))
  writeFileSync(join(folder, 'user.js'), user)
  const trained = spawnSync(process.execPath, ['user.js'], { cwd: folder, encoding: 'utf8', env })
  const losses = trained.status === 0 ? JSON.parse(trained.stdout) : []
  const text = losses.length > 0 ? `${losses[0]} to ${losses.at(-1)}` : trained.stderr.slice(-500)
  check('ten steps on the double', losses.length === 10 && losses.at(-1) < losses[0] / 2, text)
  return counts
}
