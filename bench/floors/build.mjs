// Compiles the program that measures a floor, for this machine, against the oneDNN of the build. Gives its path.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export function buildFloor(name) {
  const folder = join(root, 'build/floors')
  const [onednn, program] = [join(root, 'native/.deps/onednn'), join(folder, name)]
  mkdirSync(folder, { recursive: true })
  const include = [
    `-I${join(onednn, 'include')}`,
    join(onednn, 'lib/libdnnl.so.3'),
    `-Wl,-rpath,${join(onednn, 'lib')}`,
  ]
  const args = ['-O2', '-std=c++17', '-fopenmp', '-march=native', join(root, `bench/floors/${name}.cc`), ...include]
  const { status, stderr, error } = spawnSync('g++', [...args, '-o', program], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name}: expected the floor to compile, got ${error?.message ?? stderr}`)
  return program
}
