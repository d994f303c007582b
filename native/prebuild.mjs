#!/usr/bin/env node
// Makes prebuilds/linux-x64: the addon, the CPU backend, libdnnl and libgomp, stripped, with the licences of what they
// contain. prebuildify drives it and knows node-gyp only, so this same file stands in as its node-gyp: called with
// `rebuild` (and options meant for node-gyp, which are ignored) it brings the cmake-js build up to date. prebuildify
// strips and moves what it finds, so it works on a copy: the development build may be in use.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
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

const buildAddon = () => {
  run('cmake-js/bin/cmake-js', 'build', '--out', join(root, 'build/addon'), '--log-level', 'warn')
  // The package does not carry the CUDA backend, which may lie there too.
  const filter = (path) => basename(path) !== 'ostrich_cuda.so'
  cpSync(join(root, release), join(staging, release), { recursive: true, filter })
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
  ]
}

const prebuild = () => {
  const missing = licences().filter(([, from]) => !existsSync(from))
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
