// Processes and workers that leave while a device's thread is in the middle of a step: each ends as it was told to, soon, and
// none by a signal that it was not sent. OSTRICH_LEAVE=200 leaves that often in each way.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { addonPath } from '../../lib/runtime/index.js'
import { products } from '../support/tiny-program.js'
import { options } from './tasks.js'

const script = fileURLToPath(new URL('children/leave.mjs', import.meta.url))
const times = Number(process.env['OSTRICH_LEAVE'] ?? 10)
const backend = options().device ?? 'cpu'
/** Milliseconds within which each is gone. */
const SOON = 2000
/** Of a few milliseconds, in steps that are long and short; a device's double takes some hundred times as long. */
const sides = backend === 'cpu' ? [48, 192] : [16, 96]
const programs = sides.map((n) => ({ text: products(n, 60, 'bf16'), elements: n * n }))

/** How a process ends that leaves `delay` ms after it is at work: a code, or a signal's name, and after how many ms. */
async function leave(mode: string, delay: number): Promise<{ readonly end: number | string; readonly took: number }> {
  let left = Infinity
  const child = spawn(process.execPath, [script, addonPath(), JSON.stringify(programs), handled(mode), backend], {
    stdio: ['pipe', 'pipe', mode === 'throw' ? 'ignore' : 'inherit'],
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  child.stdin.on('error', () => undefined) // it may have crashed
  child.stdout.once('data', () => {
    void setTimeout(delay).then(() => {
      left = performance.now()
      if (mode === 'signal') child.kill('SIGTERM')
      else if (handled(mode) === 'killed') child.kill(mode as NodeJS.Signals)
      else child.stdin.write('leave\n')
    })
  })
  const [code, signal] = await closed
  return { end: signal ?? code ?? 'neither', took: performance.now() - left }
}

/** Signals that nobody handles end a process in one way. */
const handled = (mode: string): string => (mode.startsWith('SIG') ? 'killed' : mode)

describe('in the middle of a step', () => {
  it.each(['exit', 'signal', 'throw', 'terminate', 'exit-above', 'SIGTERM', 'SIGKILL'])(
    'a process ends by %s',
    async (mode) => {
      const ends = new Map<number | string, number>()
      let longest = 0
      const one = async (first: number): Promise<void> => {
        for (let i = first; i < times; i += 2) {
          const { end, took } = await leave(mode, 20 * ((0.618 * i) % 1))
          ends.set(end, (ends.get(end) ?? 0) + 1)
          longest = Math.max(longest, took)
        }
      }
      await Promise.all([one(0), one(1)])
      const wanted = handled(mode) === 'killed' ? mode : mode === 'throw' ? 1 : 7
      expect(Object.fromEntries(ends)).toEqual({ [wanted]: times })
      expect(longest).toBeLessThan(SOON)
    },
    30_000 + times * 1000,
  )
})
