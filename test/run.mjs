// The whole test run, stage by stage: format, lint, types, native tests (plain and under sanitizers), TypeScript tests,
// and kernels under each lesser instruction set;
// `node test/run.mjs lint native` runs only those named. CUDA has a run of its own, cuda/run.mjs.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  add,
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

/** One test: the addon built with ThreadSanitizer, beside the plain backend, which is not instrumented. */
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

/** What ONEDNN_MAX_CPU_ISA caps oneDNN and our loops to, least first, by a flag of /proc/cpuinfo that tells who has it. */
const instructionSets = {
  AVX2: 'avx2',
  AVX512_CORE: 'avx512bw',
  AVX512_CORE_BF16: 'avx512_bf16',
  AVX512_CORE_AMX: 'amx_bf16',
}

/**
 * Native tests and cases of ops again, as on lesser processors: under each instruction set that this one has, but the
 * best, which the other stages use. What knows no processor (parser, planner, fuzzer) is left out.
 */
const isaTests = () => {
  const flags = new Set(
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.split(' '),
  )
  const names = Object.keys(instructionSets)
  const own = names.filter((name) => flags.has(instructionSets[name]))
  if (!buildNative('native-test', ['-DOSTRICH_SANITIZE='])) return settle(false)
  let total = { ...nothing, skipped: names.length - own.length }
  for (const name of names.slice(own.length)) process.stdout.write(`${name}: this processor lacks it\n`)
  for (const name of own.slice(0, -1)) {
    const env = { ONEDNN_MAX_CPU_ISA: name }
    const counts = add(nativeTests('native-test', ['-E', 'Fuzz|Parse|Planner|Check'], env), vitest(['test/ops'], env))
    process.stdout.write(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
    total = add(total, counts)
  }
  return total
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
  isa: isaTests,
})
