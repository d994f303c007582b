// oneDNN: the pinned wheels of onednn.txt, unpacked into native/.deps/onednn.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './exec.mjs'
import { hashOf } from './stamp.mjs'
import { installPackages } from './system.mjs'

const ensurePip = async (title) => {
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) await installPackages(title, ['python3-pip'])
}

/** A wheel keeps its files under NAME.data/data; both are merged into one prefix. */
const unpack = async (title, wheels, target) => {
  for (const wheel of readdirSync(wheels).filter((name) => name.endsWith('.whl'))) {
    const folder = join(wheels, wheel.replace(/\.whl$/, ''))
    await run(title, 'python3', ['-m', 'zipfile', '-e', join(wheels, wheel), folder])
    const data = readdirSync(folder).find((name) => name.endsWith('.data'))
    cpSync(join(folder, data, 'data'), target, { recursive: true })
  }
  // A zip file has no links: the library comes three times.
  const lib = join(target, 'lib')
  const full = readdirSync(lib).find((name) => /^libdnnl\.so\.\d+\.\d+$/.test(name))
  for (const name of ['libdnnl.so', full.replace(/\.\d+$/, '')]) {
    rmSync(join(lib, name), { force: true })
    symlinkSync(full, join(lib, name))
  }
}

export const onednnStep = (root) => {
  const deps = join(root, 'native/.deps')
  const target = join(deps, 'onednn')
  const requirements = join(root, 'native/setup/onednn.txt')
  return {
    name: 'oneDNN',
    key: () => hashOf(root, ['native/setup/onednn.txt']),
    ready: () => existsSync(join(target, 'lib/cmake/dnnl')),
    act: async (title) => {
      for (const left of ['wheels', 'staged', 'onednn']) {
        rmSync(join(deps, left), { recursive: true, force: true })
      }
      await ensurePip(title)
      const wheels = join(deps, 'wheels')
      const pip = ['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '--require-hashes']
      await run(title, 'python3', [...pip, '-r', requirements, '-d', wheels])
      const staged = join(deps, 'staged')
      await unpack(title, wheels, staged)
      rmSync(wheels, { recursive: true })
      renameSync(staged, target)
      return 'fetched, hashes checked, unpacked'
    },
  }
}
