// Which lines of the backend's own code on the host the double has run, file by file. One check: at least 90 % of them.
// Left out is what the double replaces: libraries.cc, find_library.cc, dnn_cudnn.cc and cudnn_graph.cc, which the stage
// "plans" runs.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, root } from '../support/stages.mjs'

const LEAST = 0.9

const counters = (build) => {
  const files = readdirSync(build, { recursive: true }).filter((file) => file.endsWith('.gcda'))
  return files.map((file) => join(build, file))
}

export const forgetCoverage = (build) => {
  if (!existsSync(build)) return
  for (const file of counters(build)) rmSync(file)
}

/** Lines of native/cuda that were compiled: a Map from file to a Map from line to how often it ran. */
const linesOf = (build) => {
  const options = ['--json-format', '--stdout', ...counters(build)]
  const { stdout, stderr } = spawnSync('gcov', options, { cwd: build, encoding: 'utf8', maxBuffer: 1 << 30 })
  const files = new Map()
  for (const text of stdout.split('\n').filter(Boolean)) {
    for (const { file, lines } of JSON.parse(text).files) {
      const name = file.replace(/^.*rooms\/cuda\//, 'native/')
      if (!name.startsWith('native/cuda/')) continue
      const known = files.get(name) ?? new Map()
      for (const { line_number: line, count } of lines) known.set(line, (known.get(line) ?? 0) + count)
      files.set(name, known)
    }
  }
  if (files.size === 0) throw new Error(`expected gcov to know files of native/cuda, got none: ${stderr}`)
  return files
}

export const expectCoverage = (build) => {
  let all = 0
  let run = 0
  for (const [file, lines] of [...linesOf(build)].sort(([a], [b]) => a.localeCompare(b))) {
    const missed = [...lines].filter(([, count]) => count === 0).map(([line]) => line)
    all += lines.size
    run += lines.size - missed.length
    const share = `${((100 * (lines.size - missed.length)) / lines.size).toFixed(0)} %`
    if (missed.length > 0) {
      console.log(`${share.padStart(6)}  ${file}, not run: ${missed.sort((a, b) => a - b).join(' ')}`)
    }
  }
  console.log(`${((100 * run) / all).toFixed(1)} % of ${all} lines of native/cuda, at least ${LEAST * 100} % expected`)
  const passed = run / all >= LEAST
  return { ...nothing, passed: passed ? 1 : 0, failed: passed ? 0 : 1 }
}
