// Random programs give the same numbers as they are and with nothing overwritten. OSTRICH_FUZZ=100000 runs more of them,
// OSTRICH_FUZZ_SEED starts elsewhere, OSTRICH_TEST_DEVICE=cuda runs another backend.
import { describe, expect, it } from 'vitest'
import { loadBinding } from '../../lib/runtime/load-binding.js'
import { backends } from '../support/native.js'
import { type Finding, tried } from './search.js'

const count = Number(process.env['OSTRICH_FUZZ'] ?? 2000)
const first = Number(process.env['OSTRICH_FUZZ_SEED'] ?? 1)
const backend = process.env['OSTRICH_TEST_DEVICE'] ?? 'cpu'
const missing = backends().find(({ name }) => name === backend)?.reason

const everyOp = () => loadBinding().ops()

describe.skipIf(missing !== undefined)(`random programs on ${backend}`, () => {
  const options = { backend, index: 0, profile: false, deterministic: false, memoryLimit: 0 }
  it(
    `agree with themselves without states, ${count.toString()} of them`,
    async () => {
      const { Device } = loadBinding()
      const devices = [1, 2].map((threads) => new Device({ ...options, threads }))
      const findings: Finding[] = []
      const met = new Map<string, number>()
      for (let seed = first; seed < first + count && findings.length < 5; seed++) {
        const { ops, finding } = await tried(devices[(seed >> 1) % 2]!, seed)
        for (const op of ops) met.set(op, (met.get(op) ?? 0) + 1)
        if (finding !== undefined) findings.push(finding)
      }
      await Promise.all(devices.map((device) => device.dispose()))
      expect(findings.map(({ seed, words, text }) => `seed ${seed.toString()}: ${words}\n${text}`)).toEqual([])
      if (count >= 2000) expect(everyOp().filter((op) => (met.get(op) ?? 0) < 5)).toEqual([])
    },
    // Whoever asks for more waits for them.
    Math.max(120_000, count * 100),
  )
})
