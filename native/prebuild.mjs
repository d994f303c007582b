#!/usr/bin/env node
// Makes prebuilds/linux-x64: the addon, the CPU backend, libdnnl and libgomp, stripped, with the licences of what they
// contain; with --cuda the CUDA backend too, as native/setup.mjs --cuda built it. prebuildify drives it and knows node-gyp only, so this same file stands in as its node-gyp: called with
// `rebuild` (and options meant for node-gyp, which are ignored) it brings the cmake-js build up to date. prebuildify
// strips and moves what it finds, so it works on a copy: the development build may be in use.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const root = dirname(dirname(self))
const prebuilds = join(root, 'prebuilds/linux-x64')
const release = 'build/Release'
const staging = join(root, 'build/prebuild')

const run = (path, ...args) => {
  const command = [join(root, 'node_modules', path), ...args]
  const result = spawnSync(process.execPath, command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.status !== 0) throw new Error(`prebuild: '${command.join(' ')}' ended with ${result.status}`)
}

const plugin = 'ostrich_cuda.so'
// prebuildify passes no options on.
const withCuda = process.argv.includes('--cuda') || process.env.OSTRICH_PREBUILD_CUDA === '1'

const buildAddon = () => {
  run('cmake-js/bin/cmake-js', 'build', '--out', join(root, 'build/addon'), '--log-level', 'warn')
  // An earlier set-up may have left it there.
  const filter = (path) => withCuda || basename(path) !== plugin
  cpSync(join(root, release), join(staging, release), { recursive: true, filter })
}

/** Of cudnn-frontend, whose headers are compiled into the CUDA backend: as its wheel has them. */
const frontendLicences = () => {
  const deps = join(root, 'native/.deps/cuda')
  const about = existsSync(deps) && readdirSync(deps).find((name) => /^nvidia_cudnn_frontend-.*\.dist-info$/.test(name))
  const folder = join(deps, about || 'nvidia_cudnn_frontend.dist-info', 'licenses')
  const files = { 'cudnn-frontend.txt': 'LICENSE.txt', 'cudnn-frontend-mit.txt': 'LICENSE-MIT.txt' }
  const texts = { ...files, 'cudnn-frontend-notice.txt': 'NOTICE' }
  return Object.entries(texts).map(([name, file]) => [name, join(folder, file)])
}

// Texts that the tarball must carry: [name in the package, where the build machine keeps it].
const licences = () => {
  const onednn = join(root, 'native/.deps/onednn/share/doc/onednn')
  return [
    ['NOTICE.md', join(root, 'native/licenses/NOTICE.md')],
    ['oneDNN.txt', join(onednn, 'LICENSE')],
    ['oneDNN-third-party.txt', join(onednn, 'THIRD-PARTY-PROGRAMS')],
    ['gcc.txt', '/usr/share/doc/libgomp1/copyright'],
    ['GPL-3.0.txt', '/usr/share/common-licenses/GPL-3'],
    ['nlohmann-json.txt', '/usr/share/doc/nlohmann-json3-dev/copyright'],
    ['node-addon-api.txt', join(root, 'node_modules/node-addon-api/LICENSE.md')],
    ...(withCuda ? frontendLicences() : []),
  ]
}

const prebuild = () => {
  const missing = licences().filter(([, from]) => !existsSync(from))
  if (withCuda && !existsSync(join(root, release, plugin))) {
    throw new Error(`prebuild: expected ${join(release, plugin)}, got none; run node native/setup.mjs --cuda`)
  }
  process.env.OSTRICH_PREBUILD_CUDA = withCuda ? '1' : ''
  if (missing.length > 0) throw new Error(`prebuild: no licence text at ${missing.map(([, from]) => from).join(', ')}`)
  for (const folder of [join(root, 'prebuilds'), staging]) rmSync(folder, { recursive: true, force: true })
  mkdirSync(staging)
  copyFileSync(join(root, 'package.json'), join(staging, 'package.json'))
  run('prebuildify/bin.js', '--cwd', staging, '--out', root, '--strip', '--tag-libc', '--node-gyp', self)
  mkdirSync(join(prebuilds, 'licenses'))
  for (const [name, from] of licences()) cpSync(from, join(prebuilds, 'licenses', name), { dereference: true })
}

if (process.argv[2] === 'rebuild') buildAddon()
else prebuild()
