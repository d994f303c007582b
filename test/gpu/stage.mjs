// The verification of a GPU, tried where there is none: it must pack, unpack without Node.js, and say "no device" everywhere.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  mkdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { add, nothing, root, run } from '../support/stages.mjs'
import { folder, LIMIT, sizeOf } from './pack.mjs'

const phases = [
  'doctor',
  'properties',
  'parity',
  'sanitizer',
  'mnist',
  'layers',
  'translation',
  'speech',
  'words',
  'video',
  'bench',
  'cifar',
  'alexnet',
  'ptb',
]

/** A folder with links to every program on the path but those that the other machine lacks. */
const withoutNode = (into) => {
  mkdirSync(into)
  for (const from of (process.env.PATH ?? '').split(delimiter).filter((name) => existsSync(name))) {
    for (const name of readdirSync(from)) {
      const absent = /^(node|npm|npx|g?cc|[gc]\+\+|clang.*)$/.test(name)
      if (!absent && !existsSync(join(into, name))) symlinkSync(join(from, name), join(into, name))
    }
  }
  return into
}

const check = (name, ok, got) => {
  if (!ok) console.log(`gpu: expected ${name}, got ${got}`)
  return { ...nothing, [ok ? 'passed' : 'failed']: 1 }
}

const checkPhase = (out, phase) => {
  const file = join(out, `${phase}.json`)
  const { status, reason = '' } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { status: 'no file' }
  const ok = status === 'skipped' && reason.startsWith('no device')
  return check(`${phase} to be skipped for want of a device`, ok, `${status}: ${reason}`)
}

/** With a time limit, phases that ended are left out, and one that did not runs again. */
const checkMinutes = (verify, out, total) => {
  const lines = ({ stdout }) => stdout.trim().split('\n')
  const wrong = verify('--minutes', 'soon')
  const again = lines(verify('--minutes', '1'))
  const file = join(out, 'words.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"status"', '"unfinished": true,\n  "status"'))
  const rest = lines(verify('--minutes', '1'))
  return [
    check('--minutes soon to be refused', wrong.status === 2 && /got 'soon'/.test(wrong.stderr), wrong.stderr),
    check('nothing to run twice', again.length === 1 && again[0] === total, again.join('; ')),
    check('what did not end to run again', rest.length === 2 && rest[0].startsWith('words'), rest.join('; ')),
  ]
}

const runThere = (scratch) => {
  const copy = join(scratch, 'carried')
  cpSync(folder, copy, { recursive: true })
  // Of what this process was told, the other machine knows nothing.
  const env = { PATH: withoutNode(join(scratch, 'bin')), HOME: scratch, TMPDIR: scratch }
  const verify = (...args) =>
    spawnSync('bash', [join(copy, 'verify.sh'), ...args], { cwd: scratch, encoding: 'utf8', env })
  const { status, stdout, stderr } = verify()
  const closing = stdout.trim().split('\n').at(-1) ?? ''
  const output = `${stdout}${stderr}`.slice(-2000)
  const out = join(copy, 'out')
  const hasGpu = spawnSync('nvidia-smi', ['-L']).status === 0
  if (hasGpu) return check('no failure', status === 0 && / 0 failed, /.test(closing), output)
  const total = `0 passed, 0 failed, ${phases.length} skipped`
  return [
    check('exit status 0', status === 0, `${status}: ${output}`),
    check(total, closing === total, closing),
    check(
      'one file for each phase and a report',
      readdirSync(out).length === phases.length + 1,
      readdirSync(out).join(' '),
    ),
    ...phases.map((phase) => checkPhase(out, phase)),
    ...checkMinutes(verify, out, total),
  ].reduce(add)
}

/** Packs, copies what was packed out of the repository and runs it there; gives counts. */
export const dryRun = () => {
  const scratch = mkdtempSync(join(tmpdir(), 'ostrich-gpu-'))
  try {
    if (!run(process.execPath, [join(root, 'test/gpu/pack.mjs')])) return check('to pack', false, 'a failure')
    const size = sizeOf()
    return add(check(`less than ${LIMIT} bytes`, size < LIMIT, size), runThere(scratch))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
