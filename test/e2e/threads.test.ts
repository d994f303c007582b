// The threads of a process that computes: its own, and no others that a library would bring.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { addonPath } from '../../lib/runtime/index.js'
import { products } from '../support/tiny-program.js'

const script = fileURLToPath(new URL('children/threads.mjs', import.meta.url))
const run = promisify(execFile)
/** Large enough that a product takes all threads. */
const n = 256

describe.skipIf(availableParallelism() < 2)('a process that computes', () => {
  it.each([1, 2])(
    'with %i threads has its device and a helper for each further one; oneDNN brings none',
    async (threads) => {
      const args = [script, addonPath(), products(n, 4, 'f32'), String(n * n), String(threads)]
      const names = JSON.parse((await run(process.execPath, args)).stdout) as string[]
      expect(names.filter((name) => name === 'ostrich-helper')).toHaveLength(threads - 1)
      expect(names).toHaveLength(threads)
    },
  )
})
