// Parity of every op with the interpreter, without a test runner: node parity.js BACKEND ARITHMETIC [first]
// ARITHMETIC is f32, bf16 or tf32; `first` takes only the first sample of each op. Names what it tries on stderr, so that a
// crash says where; ends with one line of JSON.
import { readFileSync } from 'node:fs'
import { disagreement, follows, type Arithmetic } from '../support/parity.js'
import { cases } from '../ops/cases.js'

const arithmetics: readonly Arithmetic[] = ['f32', 'bf16', 'tf32']
const shown = 20

/** NVIDIA's libraries in this process, from wherever they were found. */
function libraries(): string[] {
  const mapped = readFileSync('/proc/self/maps', 'utf8').match(/\/\S*lib(?:cuda|cudnn|cublas|nvrtc)[^/\s]*$/gm)
  return [...new Set(mapped ?? [])].sort()
}

async function main([backend = '', given = '', choice]: readonly string[]): Promise<void> {
  const arithmetic = arithmetics.find((name) => name === given)
  if (arithmetic === undefined) throw new Error(`parity: expected ${arithmetics.join(', ')}, got ${given}`)
  const failures: string[] = []
  let passed = 0
  for (const opCase of cases) {
    const tried = opCase.samples.filter((sample) => arithmetic === 'f32' || follows(sample))
    for (const sample of choice === 'first' ? tried.slice(0, 1) : tried) {
      const name = `${opCase.name}, ${sample.name}`
      process.stderr.write(`${name}\n`)
      const found = await disagreement(opCase, sample, backend, arithmetic).catch(String)
      if (found === undefined) passed++
      else failures.push(`${name}: ${found}`)
    }
  }
  const result = { passed, failed: failures.length, failures: failures.slice(0, shown), libraries: libraries() }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

await main(process.argv.slice(2))
