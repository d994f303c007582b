// Brings a fresh clone to where it can train: system tools, oneDNN, npm packages, the addon, the compiled library.
// Every step is skipped while its inputs are unchanged. `--dev` also brings what the tests need, `--cuda` a CUDA toolkit
// and the CUDA backend.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { backendStep, oldestCudnnStep, toolkitStep } from './setup/cuda.mjs'
import { SetupError, run, say } from './setup/exec.mjs'
import { onednnStep } from './setup/onednn.mjs'
import { Stamps, hashOf } from './setup/stamp.mjs'
import { systemStep } from './setup/system.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)
const script = (path) => at('node_modules', path)

const packagesStep = {
  name: 'npm packages',
  key: () => hashOf(root, ['package-lock.json']),
  ready: () => existsSync(at('node_modules/.package-lock.json')),
  act: async (title) => {
    await run(title, 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root })
    return 'installed'
  },
}

// cmake-js takes any cache for a finished configuration, even one that failed or that lay in another folder.
const configured = () => {
  const [cache, ...generated] = ['CMakeCache.txt', 'build.ninja', 'Makefile'].map((name) => at('build/addon', name))
  if (!generated.some((file) => existsSync(file))) return false
  return readFileSync(cache, 'utf8').includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`)
}

const addonStep = {
  name: 'native addon',
  key: () =>
    root +
    hashOf(root, ['native', 'CMakeLists.txt', 'package.json', 'package-lock.json'], /\.(cc|h|def|map|cmake|txt)$/),
  ready: () => existsSync(at('build/Release/ostrich.node')) && existsSync(at('build/Release/ostrich_cpu.so')),
  act: async (title) => {
    if (!configured()) rmSync(at('build/addon'), { recursive: true, force: true })
    const build = ['build', '--out', at('build/addon'), '--parallel', String(availableParallelism())]
    await run(title, process.execPath, [script('cmake-js/bin/cmake-js'), ...build], { cwd: root })
    return 'built'
  },
}

const libraryStep = {
  name: 'TypeScript library',
  key: () => hashOf(root, ['lib', 'native/bundle.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']),
  ready: () => existsSync(at('dist/index.js')) && existsSync(at('dist/index.d.ts')),
  act: async (title) => {
    rmSync(at('dist'), { recursive: true, force: true })
    await run(title, process.execPath, [script('typescript/bin/tsc'), '-p', at('tsconfig.build.json')], { cwd: root })
    await run(title, process.execPath, [at('native/bundle.mjs')], { cwd: root })
    return 'compiled'
  },
}

const checkHost = () => {
  const host = `${process.platform}-${process.arch}`
  if (host !== 'linux-x64') throw new SetupError(`setup: expected linux-x64, got ${host}`)
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`setup: expected Node.js 20.19 or newer, got ${process.versions.node}`)
  }
}

const main = async () => {
  checkHost()
  const dev = process.argv.includes('--dev')
  const started = performance.now()
  const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`
  const stamps = new Stamps(at('build/.setup.json'))
  let acted = 0
  const cuda = process.argv.includes('--cuda') ? [toolkitStep(root), backendStep(root)] : []
  if (cuda.length > 0 && dev) cuda.push(oldestCudnnStep(root))
  for (const step of [systemStep(dev), onednnStep(root), packagesStep, addonStep, libraryStep, ...cuda]) {
    if (stamps.has(step.name, step.key()) && step.ready()) continue
    if (acted === 0) process.stdout.write('Setting up Ostrich\n')
    acted++
    say(step.name, '...')
    const from = performance.now()
    const result = await step.act(step.name)
    stamps.set(step.name, step.key())
    say(step.name, `${result} (${seconds(from)})`)
  }
  if (acted > 0) process.stdout.write(`Set up in ${seconds(started)}\n`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}
