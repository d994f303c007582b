// The whole test run, stage by stage: format, lint, types, native tests (plain and under sanitizers), TypeScript tests;
// `node test/run.mjs lint native` runs only those named. CUDA has a run of its own, cuda/run.mjs.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import {
  borrowRelease,
  buildNative,
  jobs,
  nativeTests,
  nothing,
  root,
  run,
  runStages,
  settle,
  tool,
  vitest,
} from './support/stages.mjs'

const native = (name, sanitize) =>
  buildNative(name, [`-DOSTRICH_SANITIZE=${sanitize}`]) ? nativeTests(name) : settle(false)

/** One test: the addon built with ThreadSanitizer, beside the plain backend, whose OpenMP it would take for races. */
const threadTest = () => {
  const build = join(root, 'build/addon-threads')
  const options = ['--parallel', jobs, '--target', 'ostrich', '--CDOSTRICH_SANITIZE=thread', '--log-level', 'warn']
  if (!tool('cmake-js/bin/cmake-js', ['build', '--out', build, ...options])) return settle(false)
  borrowRelease(build, ['ostrich.node'])
  const preload = spawnSync('c++', ['-print-file-name=libtsan.so'], { encoding: 'utf8' }).stdout.trim()
  const sanitizer = { LD_PRELOAD: preload, TSAN_OPTIONS: 'ignore_noninstrumented_modules=1' }
  const script = [join(root, 'test/native/threads.mjs'), join(build, 'ostrich.node')]
  const ok = run(process.execPath, script, sanitizer)
  return settle(ok, { ...nothing, passed: ok ? 1 : 0 })
}

await runStages({
  format: () => {
    const typescript = tool('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.'])
    return settle(run(process.execPath, ['native/format.mjs']) && typescript)
  },
  lint: () => settle(tool('eslint/bin/eslint.js', ['.'])),
  types: () => settle(tool('typescript/bin/tsc', ['-p', 'tsconfig.json'])),
  native: () => native('native-test', ''),
  // The same tests again, where a wrong address or an undefined operation stops the process.
  address: () => native('native-address', 'address,undefined'),
  threads: threadTest,
  typescript: () => vitest(),
})
