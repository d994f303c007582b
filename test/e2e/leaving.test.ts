// Processes and workers that leave while a device's thread is in the middle of a step: each ends as it was told to, and
// none by a signal. OSTRICH_LEAVE=200 leaves that often in each way.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { addonPath } from '../../lib/runtime/index.js'
import { products } from '../support/tiny-program.js'

const script = fileURLToPath(new URL('children/leave.mjs', import.meta.url))
const times = Number(process.env['OSTRICH_LEAVE'] ?? 10)
/** Of a few milliseconds, in steps that are long and short. */
const programs = [48, 192].map((n) => ({ text: products(n, 60, 'bf16'), elements: n * n }))

/** How a process ends that leaves `delay` ms after it is at work: a code, or a signal's name. */
async function leave(mode: string, delay: number): Promise<number | string> {
  const child = spawn(process.execPath, [script, addonPath(), JSON.stringify(programs), mode], {
    stdio: ['pipe', 'pipe', mode === 'throw' ? 'ignore' : 'inherit'],
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  child.stdin.on('error', () => undefined) // it may have crashed
  child.stdout.once('data', () => {
    void setTimeout(delay).then(() => (mode === 'signal' ? child.kill('SIGTERM') : child.stdin.write('leave\n')))
  })
  const [code, signal] = await closed
  return signal ?? code ?? 'neither'
}

describe('in the middle of a step', () => {
  it.each(['exit', 'signal', 'throw', 'terminate', 'exit-above'])(
    'a process ends by %s',
    async (mode) => {
      const ends = new Map<number | string, number>()
      const one = async (first: number): Promise<void> => {
        for (let i = first; i < times; i += 2) {
          const end = await leave(mode, 20 * ((0.618 * i) % 1))
          ends.set(end, (ends.get(end) ?? 0) + 1)
        }
      }
      await Promise.all([one(0), one(1)])
      expect(Object.fromEntries(ends)).toEqual({ [mode === 'throw' ? 1 : 7]: times })
    },
    30_000 + times * 1000,
  )
})
