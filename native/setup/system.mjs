// What comes from the distribution: compiler, CMake, a make, header libraries. On Debian and its kin root gets what is
// missing installed; anybody else is told the exact command. Nothing is ever removed or upgraded.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError, run } from './exec.mjs'

/** Full path of a program, or undefined. */
export const which = (program) => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  return undefined
}

const compiles = (header) => {
  const options = { input: `#include <${header}>\n`, stdio: ['pipe', 'ignore', 'ignore'] }
  return spawnSync(process.env.CXX ?? 'c++', ['-E', '-x', 'c++', '-'], options).status === 0
}

/** Installs Debian packages, or says how to. */
export const installPackages = async (title, packages) => {
  const list = packages.join(' ')
  if (which('apt-get') === undefined) {
    throw new SetupError(`${title}: missing; install with your package manager what Debian calls: ${list}`)
  }
  if (process.getuid() !== 0) {
    throw new SetupError(`${title}: missing; run this and start again:\n  sudo apt-get install -y ${list}`)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run(title, 'apt-get', ['update'], { env })
  await run(title, 'apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env })
}

const missingPackages = (dev) => {
  const missing = []
  if (which(process.env.CXX ?? 'c++') === undefined) missing.push('g++')
  if (which('cmake') === undefined) missing.push('cmake')
  if (which('ninja') === undefined && which('make') === undefined) missing.push('make')
  if (!compiles('nlohmann/json.hpp')) missing.push('nlohmann-json3-dev')
  if (dev && !compiles('gtest/gtest.h')) missing.push('libgtest-dev')
  return missing
}

const toolsFound = (dev) => {
  const programs = [process.env.CXX ?? 'c++', 'cmake', 'ninja', 'make'].map((program) => which(program) ?? '-')
  return [dev ? 'dev' : 'user', ...programs].join(' ')
}

export const systemStep = (dev) => ({
  name: dev ? 'tools for tests' : 'compiler and CMake',
  key: () => toolsFound(dev),
  ready: () => true,
  act: async (title) => {
    const missing = missingPackages(dev)
    if (missing.length > 0) await installPackages(title, missing)
    return missing.length > 0 ? `installed ${missing.join(' ')}` : 'found'
  },
})
