// The whole test run, stage by stage: format, lint, types, native tests (plain and under sanitizers), TypeScript tests;
// `node test/run.mjs lint native` runs only those named. Later stages run although an earlier one failed. Closes with
// one line, `N passed, N failed, N skipped`; a failed stage that counts no tests of its own is one failure, so that
// line and exit code always agree.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
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

/** Builds the native tests, perhaps under sanitizers, and runs those whose names match `filter`. */
const nativeTests = (name, sanitize, filter) => {
  const build = join(root, 'build', name)
  const report = join(root, 'build', `${name}.xml`)
  rmSync(report, { force: true })
  const options = ['-DOSTRICH_TESTS=ON', `-DOSTRICH_SANITIZE=${sanitize}`, '--log-level=WARNING']
  const configured = run('cmake', '-S', root, '-B', build, ...options)
  const built = configured && run('cmake', '--build', build, '--parallel', jobs)
  const choice = ['-R', filter, '--no-tests=error']
  const ok = built && run('ctest', '--test-dir', build, '--output-on-failure', '--output-junit', report, ...choice)
  if (!existsSync(report)) return settle(false, nothing)
  const suite = readFileSync(report, 'utf8').match(/<testsuite\b[^>]*>/s)[0]
  const count = (key) => Number(suite.match(new RegExp(`\\b${key}="(\\d+)"`))?.[1] ?? 0)
  const [failed, skipped] = [count('failures'), count('skipped') + count('disabled')]
  return settle(ok, { passed: count('tests') - failed - skipped, failed, skipped })
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
  native: () => nativeTests('native-test', '', '.'),
  // The same tests again, where a wrong address, an undefined operation or a race stops the process.
  address: () => nativeTests('native-address', 'address,undefined', '.'),
  threads: () => nativeTests('native-threads', 'thread', 'Thread'),
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
