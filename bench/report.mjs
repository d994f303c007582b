// Rounds -> measurements -> table. A measurement is one object: what was measured, where, with which versions, beside whom.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
export const rounded = (value) => Number(value.toPrecision(4))

/** The commit that is checked out, with `+` where tracked files differ from it. */
export function commit() {
  const git = (...args) => spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).stdout?.trim() ?? ''
  const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`
}

/** What all measurements of a run say: with what, where and when. */
export const about = ({ precision, threads, device, versions }) => ({
  precision,
  backend: device.backend,
  device: `${device.name} (${device.isa})`,
  threads,
  versions,
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
})

/** One object per metric of a case. */
export function measurements({ name, precision, threads, rounds: { ours, peer, floor: floors } }) {
  const [{ device, versions }] = ours
  const common = about({ precision, threads, device, versions })
  const one = (metric, key, unit, more = {}) => ({
    case: name,
    metric,
    value: rounded(median(ours.map((result) => result[key]))),
    unit,
    ...common,
    peers: [],
    ...more,
  })
  const beside = (key) =>
    peer.length === 0 ? [] : [{ name: peer[0].name, value: rounded(median(peer.map((result) => result[key]))) }]
  // Measured by a program; else the multiply-adds alone, at the rate of this machine's best product in the same precision.
  const known = floors.filter((one) => one !== null).map((one) => one.step)
  const floor = rounded(median(known.length > 0 ? known : ours.map((result) => result.floor)))
  return [
    one('step', 'step', 'ms', {
      peers: beside('step'),
      floor,
      floorIs: known.length > 0 ? 'primitives' : 'multiply-adds',
    }),
    one('JavaScript and N-API', 'javascript', 'us per step'),
    one('compile', 'compile', 'ms'),
    one('round trip', 'roundTrip', 'us'),
    one('peak resident memory', 'memory', 'MiB', { peers: beside('memory') }),
    one('arena', 'arena', 'MiB'),
    one('state', 'state', 'MiB'),
    one('reorders', 'reorders', 'per step'),
  ]
}

/** Steps beside their peers, then everything else. */
export function table(results) {
  const steps = results
    .filter(({ metric }) => metric === 'step')
    .map(({ case: name, precision, value, floor, peers: [peer] }) => [
      ...[name, precision, `${value} ms`, `${floor} ms`],
      ...(peer === undefined ? ['-', '-'] : [`${peer.value} ms`, `${(peer.value / value).toFixed(2)}x`]),
    ])
  const peer = results.find(({ peers }) => peers.length > 0)?.peers[0].name ?? 'peer'
  const rest = results
    .filter(({ metric }) => metric !== 'step')
    .map(({ case: name, precision, metric, value, unit }) => [name, precision, metric, `${value} ${unit}`])
  const where =
    results[0] === undefined
      ? ''
      : `${results[0].device}, ${results[0].threads} thread${results[0].threads === 1 ? '' : 's'}\n\n`
  return `${where}${grid(['case', 'precision', 'step', 'floor', peer, 'faster'], steps)}\n${grid(['case', 'precision', 'metric', 'value'], rest)}\n`
}

/** A table of texts in columns. */
export function grid(head, rows) {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Measurements and their peers, of which some say how much faster than they ours is. */
export function tableBesidePeers(results) {
  const rows = results.map(({ case: name, precision, metric, value, unit, peers }) => {
    const others = peers.map(
      (peer) => `${peer.name} ${peer.value}${peer.faster === undefined ? '' : ` (${peer.faster}x)`}`,
    )
    return [name, precision, metric, `${value} ${unit}`, others.join('  ')]
  })
  return grid(['case', 'precision', 'metric', 'value', 'peers (ours is so much faster)'], rows)
}

/** Writes measurements to bench/results/NAME.json, and says so. */
export function writeResults(name, results) {
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.json`)
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`)
  process.stdout.write(`written to ${path}\n`)
}
