// ostrich doctor: what was found on this machine, where, and why something is absent; then a second of real training.
import { diagnose, type Diagnosis } from '../runtime/index.js'
import { sayThreads, selfTest, threadSpeeds } from '../recipes/index.js'
import { command } from './command.js'

export const doctor = command({
  name: 'doctor',
  summary: 'say what was found on this machine, and test it',
  arguments: [],
  about:
    'Shows machine, addon, libraries and backends (with the reason where one is absent), then trains for a second.',
  options: { json: { type: 'flag', help: 'print JSON' } },
  examples: ['ostrich doctor', 'ostrich doctor --json'],
  run: async ({ json }, _positionals, output) => {
    const found = diagnose()
    const tested = await selfTest()
    const speeds = tested.passed ? await threadSpeeds() : undefined
    if (json === true) output.line(JSON.stringify({ ...found, selfTest: tested, threadSpeeds: speeds }, undefined, 2))
    else {
      const test = `${tested.passed ? 'passed' : 'FAILED'}: ${tested.message}`
      const rows = [...facts(found), ['self-test', test], ...(speeds ? [['threads', sayThreads(speeds)]] : [])]
      for (const [name = '', fact = ''] of rows) output.line(`${name.padEnd(11)} ${fact}`)
    }
    return tested.passed ? 0 : 1
  },
})

function facts(found: Diagnosis): (readonly [string, string])[] {
  const { addon, backends, versions } = found
  // Of NVIDIA's libraries with the file, and what was passed over before it.
  const [located, others] = [true, false].map((wanted) => {
    return Object.entries(versions).filter(([, version]) => version.includes('/') === wanted)
  })
  const memory = `${(found.memoryBytes / 2 ** 30).toFixed(0)} GiB`
  return [
    ['system', found.os],
    ['processor', `${found.cpu}, ${found.cores} cores (${found.isa.join(', ') || 'no wide instructions'})`],
    ['memory', memory],
    ['node', `${found.node} (Node-API ${found.napi})`],
    ['addon', 'path' in addon ? addon.path : `absent: ${addon.reason}`],
    ['versions', others!.map(([name, version]) => `${name} ${version}`).join(', ') || 'none'],
    ...located!,
    ...backends.map(
      ({ name, available, reason }) => [name, available ? 'available' : `absent: ${reason ?? 'unknown'}`] as const,
    ),
  ]
}
