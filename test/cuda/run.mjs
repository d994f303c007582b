// What can be proved of the CUDA backend without a GPU, stage by stage; `node test/cuda/run.mjs double` runs only those
// named. docs/decisions/0008-cuda-without-a-gpu.md says what each proves, and what none does.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { add, borrowRelease, buildNative, nativeTests, root, runStages, settle, vitest } from '../support/stages.mjs'
import { expectBudget } from './budget.mjs'
import { expectCoverage, forgetCoverage } from './coverage.mjs'
import { catchFaults } from './faults.mjs'
import { expectReasons } from './libraries.mjs'
import { tryPackage } from './package.mjs'
import { planConvolutions } from './plans.mjs'
import { dryRun } from '../gpu/stage.mjs'

const keys = join(root, 'build/convolutions.txt')

/**
 * The backend's own objects on doubles of the driver, cuBLASLt and cuDNN, with kernels compiled for the host; below the
 * addon and beside the CPU backend as they were built for use, but for the libraries that are to be built here too.
 */
const onDouble = (name, option, { own, env, tests }) => {
  const targets = ['ostrich_cuda_tests', ...own.map((library) => library.replace(/\..*/, ''))]
  if (!buildNative(name, ['-DOSTRICH_CUDA=ON', option], targets)) return settle(false)
  borrowRelease(join(root, 'build', name), own)
  const double = { OSTRICH_ADDON: join(root, 'build', name, 'ostrich.node'), OSTRICH_REQUIRE: 'cuda', ...env }
  return tests.reduce((sum, test) => add(sum, test(name, double)), { passed: 0, failed: 0, skipped: 0 })
}

// Worker threads, whose process ends by itself and so writes what it has counted.
const counted = ['--pool', 'threads']
const parity = (name, env) => vitest(['test/ops', '-t', 'parity, cuda', ...counted], env)
const sessions = [
  'arena',
  'learn',
  'session',
  'placement',
  'row-placement',
  'word2vec-placement',
  'bad-data',
  'bad-input',
  'cuda',
  'known-chains',
  'library-layers',
  'leaving',
  'lent-feeds',
].map((name) => `test/e2e/${name}.test.ts`)
const learning = (name, env) =>
  vitest([...sessions, ...counted], { OSTRICH_LEAVE: '4', ...env, OSTRICH_TEST_DEVICE: 'cuda' })
// The doubles take some fifty times as long as the CPU backend.
const fuzz = (name, env) =>
  vitest(['test/fuzz', ...counted], { OSTRICH_FUZZ: '150', ...env, OSTRICH_TEST_DEVICE: 'cuda' })
const unit = (name) => nativeTests(name, ['-R', '^(Driver|Tuner|Cuda)'])

const addressSanitizer = () => ({
  LD_PRELOAD: spawnSync('c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim(),
  // Node.js itself does not free everything; what the backend leaks is seen by the driver's double.
  ASAN_OPTIONS: 'detect_leaks=0',
})

await runStages({
  kernels: expectBudget,
  double: () => {
    rmSync(keys, { force: true })
    const build = join(root, 'build/cuda-double')
    forgetCoverage(build)
    const tests = [unit, parity, fuzz, learning, () => expectCoverage(build)]
    const env = { OSTRICH_DOUBLE_CONVS: keys }
    return onDouble('cuda-double', '-DOSTRICH_COVERAGE=ON', { own: ['ostrich_cuda.so'], env, tests })
  },
  address: () => {
    const own = ['ostrich_cuda.so', 'ostrich.node']
    const options = { own, env: addressSanitizer(), tests: [unit, parity] }
    return onDouble('cuda-address', '-DOSTRICH_SANITIZE=address,undefined', options)
  },
  libraries: expectReasons,
  package: tryPackage,
  plans: () => planConvolutions(keys),
  faults: catchFaults,
  gpu: dryRun,
})
