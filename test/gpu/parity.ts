// Parity of every op with the interpreter, without a test runner: node parity.js BACKEND ARITHMETIC [first]
// ARITHMETIC is f32, bf16 or tf32; `first` takes only the first sample of each op. Names what it tries on stderr, so that a
// crash says where; ends with one line of JSON.
import { readFileSync } from 'node:fs'
import { DeviceError } from '../../lib/runtime/index.js'
import { disagreement, follows, type Arithmetic } from '../support/parity.js'
import { cases } from '../ops/cases.js'

const arithmetics: readonly Arithmetic[] = ['f32', 'bf16', 'tf32']
const shown = 50

/** NVIDIA's libraries in this process, from wherever they were found. */
function libraries(): string[] {
  const mapped = readFileSync('/proc/self/maps', 'utf8').match(/\/\S*lib(?:cuda|cudnn|cublas|nvrtc)[^/\s]*$/gm)
  return [...new Set(mapped ?? [])].sort()
}

/** Whether a device without bf16 refused a sample: some have it in a graph of f32 too. */
function wantsBf16(error: unknown): boolean {
  return error instanceof DeviceError && error.code === 'ERR_OPTION' && error.message.includes('below 8.0, got bf16')
}

async function main([backend = '', given = '', choice]: readonly string[]): Promise<void> {
  const arithmetic = arithmetics.find((name) => name === given)
  if (arithmetic === undefined) throw new Error(`parity: expected ${arithmetics.join(', ')}, got ${given}`)
  const failures: string[] = []
  const skipped: string[] = []
  let passed = 0
  for (const opCase of cases) {
    const tried = opCase.samples.filter((sample) => arithmetic === 'f32' || follows(sample))
    for (const sample of choice === 'first' ? tried.slice(0, 1) : tried) {
      const name = `${opCase.name}, ${sample.name}`
      process.stderr.write(`${name}\n`)
      try {
        const found = await disagreement(opCase, sample, backend, arithmetic)
        if (found === undefined) passed++
        else failures.push(`${name}: ${found}`)
      } catch (error) {
        if (wantsBf16(error)) skipped.push(name)
        else failures.push(`${name}: ${String(error)}`)
      }
    }
  }
  const counts = { passed, failed: failures.length, skipped: skipped.length }
  const result = { ...counts, failures: failures.slice(0, shown), withoutBf16: skipped, libraries: libraries() }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

await main(process.argv.slice(2))
