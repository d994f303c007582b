// What both test runs are made of: stages that run one after another, though an earlier one failed, and a closing line
// `N passed, N failed, N skipped`. A failed stage that counts no tests of its own is one failure, so that line and exit
// code always agree. Before it stands a line `FAILED ...` for every test that failed, whose reason is far above.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from '../../native/setup/system.mjs'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const jobs = String(availableParallelism())

/** Whether a command succeeds; `env` is added to this process's. */
export const run = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
export const tool = (path, args, env) => run(process.execPath, [join(root, 'node_modules', path), ...args], env)

/** Names of the tests that have failed, for the end of the run. */
const failures = []

export const nothing = { passed: 0, failed: 0, skipped: 0 }
/** The counts of one stage, made to agree with whether it succeeded. */
export const settle = (ok, counts = nothing) => (ok || counts.failed > 0 ? counts : { ...counts, failed: 1 })
export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
})

/** Configures and builds the native tests in build/NAME. */
export const buildNative = (name, options, targets = ['all']) => {
  const build = join(root, 'build', name)
  const defaults = ['-DOSTRICH_TESTS=ON', '--log-level=WARNING']
  // What is configured keeps its generator.
  const generator = existsSync(join(build, 'CMakeCache.txt')) || which('ninja') === undefined ? [] : ['-G', 'Ninja']
  const configured = run('cmake', ['-S', root, '-B', build, ...generator, ...defaults, ...options])
  return configured && run('cmake', ['--build', build, '--target', ...targets, '--parallel', jobs])
}

/** Puts the addon and its libraries, as they were built, beside those that a folder has of its own. */
export const borrowRelease = (folder, own) => {
  const release = join(root, 'build/Release')
  for (const name of readdirSync(release).filter((file) => /\.(so|node)\b/.test(file) && !own.includes(file))) {
    rmSync(join(folder, name), { force: true })
    // Of an addon, Node.js resolves a link, and backends would be looked for where it leads.
    if (name.endsWith('.node')) copyFileSync(join(release, name), join(folder, name))
    else symlinkSync(join(release, name), join(folder, name))
  }
}

/** Runs the native tests of build/NAME; `filter` are options of ctest, `env` is added to the environment. */
export const nativeTests = (name, filter = [], env = {}) => {
  const report = join(root, 'build', `${name}.xml`)
  rmSync(report, { force: true })
  const output = ['--output-on-failure', '--output-junit', report]
  const ok = run('ctest', ['--test-dir', join(root, 'build', name), '--no-tests=error', ...output, ...filter], env)
  if (!existsSync(report)) return settle(false)
  const text = readFileSync(report, 'utf8')
  const suite = text.match(/<testsuite\b[^>]*>/s)[0]
  for (const [, test] of text.matchAll(/<testcase name="([^"]*)"[^>]*status="fail"/g)) failures.push(`${name}: ${test}`)
  const count = (key) => Number(suite.match(new RegExp(`\\b${key}="(\\d+)"`))?.[1] ?? 0)
  const [failed, skipped] = [count('failures'), count('skipped') + count('disabled')]
  return settle(ok, { passed: count('tests') - failed - skipped, failed, skipped })
}

/** Runs vitest; tests that a name pattern leaves out are not counted as skipped. */
export const vitest = (args = [], env = {}) => {
  const file = join(root, 'build/vitest.json')
  rmSync(file, { force: true })
  const chosen = args.includes('-t')
  const ok = tool(
    'vitest/vitest.mjs',
    ['run', '--reporter=default', '--reporter=json', `--outputFile=${file}`, ...args],
    env,
  )
  if (!existsSync(file)) return settle(false)
  const report = JSON.parse(readFileSync(file, 'utf8'))
  for (const { name, status, message, assertionResults: tests } of report.testResults) {
    const failed = tests.filter((test) => test.status === 'failed')
    // A file that does not load has no tests.
    if (status === 'failed' && failed.length === 0) failed.push({ fullName: '', failureMessages: [message] })
    for (const { fullName, failureMessages } of failed) {
      failures.push(`${relative(root, name)}: ${fullName}: ${failureMessages.join(' ').split('\n', 1)[0]}`)
    }
  }
  const skipped = chosen ? 0 : report.numPendingTests + report.numTodoTests
  return settle(ok && report.numPassedTests > 0, {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped,
  })
}

/** Seconds of processor time that this process and the children that it has waited for have taken. */
const processorSeconds = () => {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  // utime, stime, cutime and cstime (proc(5)), in hundredths.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}

/** Runs the stages, or those that the command line names, one after the other, and prints the totals. */
export const runStages = async (stages) => {
  mkdirSync(join(root, 'build'), { recursive: true })
  const chosen = process.argv.slice(2)
  let total = nothing
  const lines = []
  for (const [name, stage] of Object.entries(stages)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    process.stdout.write(`\n== ${name}\n`)
    const started = performance.now()
    const before = processorSeconds()
    const counts = await stage()
    total = add(total, counts)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const busy = `(${(processorSeconds() - before).toFixed(0)} s of one processor)`
    lines.push(`  ${name.padEnd(11)} ${counts.failed === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s ${busy}`)
  }
  process.stdout.write(`\n${lines.join('\n')}\n`)
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`)
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}
