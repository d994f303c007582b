// The whole test run, stage by stage: format, lint, types, native tests (plain and under sanitizers), TypeScript tests;
// `node test/run.mjs lint native` runs only those named. Later stages run although an earlier one failed. Closes with
// one line, `N passed, N failed, N skipped`; a failed stage that counts no tests of its own is one failure, so that
// line and exit code always agree.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const vitestReport = join(root, 'build/vitest.json')
const jobs = String(availableParallelism())

const run = (command, ...args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0
const tool = (path, ...args) => run(process.execPath, join(root, 'node_modules', path), ...args)

const nothing = { passed: 0, failed: 0, skipped: 0 }
/** The counts of one stage, made to agree with whether it succeeded. */
const settle = (ok, counts) => (ok || counts.failed > 0 ? counts : { ...counts, failed: 1 })
const check = (ok) => settle(ok, nothing)

/** Builds the native tests, perhaps under sanitizers, and runs them. */
const nativeTests = (name, sanitize) => {
  const build = join(root, 'build', name)
  const report = join(root, 'build', `${name}.xml`)
  rmSync(report, { force: true })
  const options = ['-DOSTRICH_TESTS=ON', `-DOSTRICH_SANITIZE=${sanitize}`, '--log-level=WARNING']
  const configured = run('cmake', '-S', root, '-B', build, ...options)
  const built = configured && run('cmake', '--build', build, '--parallel', jobs)
  const output = ['--output-on-failure', '--output-junit', report]
  const ok = built && run('ctest', '--test-dir', build, '--no-tests=error', ...output)
  if (!existsSync(report)) return settle(false, nothing)
  const suite = readFileSync(report, 'utf8').match(/<testsuite\b[^>]*>/s)[0]
  const count = (key) => Number(suite.match(new RegExp(`\\b${key}="(\\d+)"`))?.[1] ?? 0)
  const [failed, skipped] = [count('failures'), count('skipped') + count('disabled')]
  return settle(ok, { passed: count('tests') - failed - skipped, failed, skipped })
}

/** One test: the addon built with ThreadSanitizer, beside the plain backend, whose OpenMP it would take for races. */
const threadTest = () => {
  const build = join(root, 'build/addon-threads')
  const options = ['--parallel', jobs, '--target', 'ostrich', '--CDOSTRICH_SANITIZE=thread', '--log-level', 'warn']
  if (!tool('cmake-js/bin/cmake-js', 'build', '--out', build, ...options)) return settle(false, nothing)
  for (const name of readdirSync(join(root, 'build/Release')).filter((name) => /\.so/.test(name))) {
    rmSync(join(build, name), { force: true })
    symlinkSync(join('../Release', name), join(build, name))
  }
  const preload = spawnSync('c++', ['-print-file-name=libtsan.so'], { encoding: 'utf8' }).stdout.trim()
  const sanitizer = { LD_PRELOAD: preload, TSAN_OPTIONS: 'ignore_noninstrumented_modules=1' }
  const script = [join(root, 'test/native/threads.mjs'), join(build, 'ostrich.node')]
  const env = { ...process.env, ...sanitizer }
  const ok = spawnSync(process.execPath, script, { env, stdio: 'inherit' }).status === 0
  return settle(ok, { ...nothing, passed: ok ? 1 : 0 })
}

const typescriptTests = () => {
  rmSync(vitestReport, { force: true })
  const ok = tool('vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile=${vitestReport}`)
  if (!existsSync(vitestReport)) return settle(false, nothing)
  const report = JSON.parse(readFileSync(vitestReport, 'utf8'))
  const skipped = report.numPendingTests + report.numTodoTests
  return settle(ok, { passed: report.numPassedTests, failed: report.numFailedTests, skipped })
}

const stages = {
  format: () => {
    const typescript = tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')
    return check(run(process.execPath, 'native/format.mjs') && typescript)
  },
  lint: () => check(tool('eslint/bin/eslint.js', '.')),
  types: () => check(tool('typescript/bin/tsc', '-p', 'tsconfig.json')),
  native: () => nativeTests('native-test', ''),
  // The same tests again, where a wrong address or an undefined operation stops the process.
  address: () => nativeTests('native-address', 'address,undefined'),
  threads: threadTest,
  typescript: typescriptTests,
}

mkdirSync(join(root, 'build'), { recursive: true })
const chosen = process.argv.slice(2)
const total = { ...nothing }
const lines = []
for (const [name, stage] of Object.entries(stages)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  process.stdout.write(`\n== ${name}\n`)
  const started = performance.now()
  const counts = stage()
  for (const key of Object.keys(total)) total[key] += counts[key]
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  lines.push(`  ${name.padEnd(11)} ${counts.failed === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s`)
}
process.stdout.write(`\n${lines.join('\n')}\n`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed === 0 ? 0 : 1
