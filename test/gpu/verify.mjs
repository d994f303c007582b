// One phase of the verification on a GPU, or the report of those that ran: node verify.mjs PHASE | report PHASE...
// A phase writes $OUT/PHASE.json; the report writes $OUT/report.md, prints the totals and ends with 1 if a check failed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { facts } from './facts.mjs'
import * as phases from './phases.mjs'

const out = process.env.OUT ?? 'out'
const fileOf = (phase) => join(out, `${phase}.json`)
const nothing = { passed: 0, failed: 0, skipped: 0 }
/** `build` tells what was verified: a phase that ended needs no second run by the same one. */
const write = (phase, result) => {
  const text = JSON.stringify({ phase, build: process.env.OSTRICH_BUILD, ...result }, undefined, 2)
  writeFileSync(fileOf(phase), `${text}\n`)
}

/** A phase that counts failures has failed; one that counts nothing but skipped checks is skipped. */
const statusOf = ({ passed, failed, skipped }) =>
  failed > 0 ? 'failed' : passed === 0 && skipped > 0 ? 'skipped' : 'passed'

const attempt = async (phase, found) => {
  try {
    return await phases[phase](found)
  } catch (error) {
    return { ...nothing, failed: 1, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Without a device only the doctor runs, which proves that what was packed works. */
const resultOf = async (phase, found) => {
  if (found.absent === undefined) return attempt(phase, found)
  const result = phase === 'doctor' ? await attempt(phase, found) : nothing
  if (result.failed > 0) return result
  // A backend that does not find the GPU of its machine must not pass for a machine without one.
  const without = found.hasGpu
    ? { failed: 1, reason: `expected the backend to find the GPU, got: ${found.absent}` }
    : { skipped: 1, reason: `no device: ${found.absent}` }
  return { ...nothing, ...without, figures: result.figures }
}

const runPhase = async (phase) => {
  const started = performance.now()
  const unfinished = 'expected the phase to end within its time, got none of its results'
  write(phase, { status: 'failed', unfinished: true, reason: unfinished, counts: { ...nothing, failed: 1 } })
  const found = await facts()
  const { passed, failed, skipped, reason, figures } = await resultOf(phase, found)
  const counts = { passed, failed, skipped }
  const status = statusOf(counts)
  const elapsed = Math.round(performance.now() - started) / 1000
  write(phase, { status, reason, counts, ...found.about, seconds: elapsed, figures })
  console.log(`${phase.padEnd(10)} ${status}${reason === undefined ? '' : `: ${reason}`}`)
}

const cell = (value) =>
  String(value ?? '')
    .replaceAll('|', '\\|')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300)
// Phases whose figures are times of steps.
const timed = ['layers', 'bench', 'cifar', 'alexnet', 'ptb']

const row = (cells) => `| ${cells.map(cell).join(' | ')} |\n`
const table = (head, rows) => row(head) + row(head.map(() => '---')) + rows.map(row).join('')

const benchTable = ({ figures }) => {
  const heading = ['what', 'step, ms', 'fed bytes, ms', 'rounds', 'name or reason']
  const rows = figures.map(({ item, step, fed, rounds, name, reason }) => [
    item,
    step?.toPrecision(4),
    fed?.toPrecision(4),
    rounds,
    name ?? reason,
  ])
  return `\n${table(heading, rows)}`
}

const videoTable = ({ figures }) => {
  const heading = [
    'what',
    'sequences',
    'sequences/s',
    'cross-entropy',
    'squared error',
    'absolute error',
    'similarity',
    'of range 2',
  ]
  const digits = (value, count) => value?.toFixed(count)
  const rows = figures.map(({ item, sequences, sequencesPerSecond, reason, ...own }) => [
    reason === undefined ? item : `${item}: ${reason}`,
    sequences,
    digits(sequencesPerSecond, 1),
    digits(own.crossEntropy, 1),
    digits(own.squaredError, 2),
    digits(own.absoluteError, 2),
    digits(own.similarity, 4),
    digits(own.similarityOfRange2, 4),
  ])
  return `\n${table(heading, rows)}`
}

const report = (chosen) => {
  const known = Object.keys(phases).filter((phase) => existsSync(fileOf(phase)))
  const results = known.map((phase) => JSON.parse(readFileSync(fileOf(phase), 'utf8')))
  const rows = results.map(({ phase, status, counts, seconds, gpu, driver, date, reason }) => [
    ...[phase, status, counts.passed, counts.failed, counts.skipped, seconds, gpu, driver, date?.slice(0, 10), reason],
  ])
  const heading = ['phase', 'status', 'passed', 'failed', 'skipped', 'seconds', 'GPU', 'driver', 'date', 'reason']
  const measured = results.filter(({ phase, figures }) => timed.includes(phase) && figures !== undefined)
  const films = results.filter(({ phase, figures }) => phase === 'video' && figures !== undefined)
  const tables = [...measured.map(benchTable), ...films.map(videoTable)]
  writeFileSync(join(out, 'report.md'), table(heading, rows) + tables.join(''))
  const ran = results.filter(({ phase }) => chosen.includes(phase))
  const sum = (key) => ran.reduce((total, { counts }) => total + counts[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  process.exitCode = sum('failed') > 0 ? 1 : 0
}

const [command = '', ...rest] = process.argv.slice(2)
const unknown = (command === 'report' ? rest : [command]).filter((phase) => !Object.hasOwn(phases, phase))
if (unknown.length > 0) {
  console.error(`verify: expected ${Object.keys(phases).join(', ')}, got ${unknown.join(', ')}`)
  process.exit(2)
}
mkdirSync(out, { recursive: true })
if (command === 'report') report(rest)
else await runPhase(command)
