// The CPU backend must start on any x86-64: vector instructions newer than SSE2 may stand only in functions that the
// run-time dispatch reaches, those compiled into the namespaces avx2, avx512 and avx512_bf16.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const library = new URL('../../build/Release/ostrich_cpu.so', import.meta.url).pathname
const DISPATCHED = /\b(avx2|avx512|avx512_bf16)::/

/** Names of functions outside the dispatched namespaces that use a ymm, zmm or mask register. */
const strayVectorFunctions = (listing: string): string[] => {
  const stray = new Set<string>()
  let current = ''
  for (const line of listing.split('\n')) {
    const header = /^[0-9a-f]+ <(.*)>:$/.exec(line)
    if (header?.[1] !== undefined) current = header[1]
    else if (/%[yz]mm|%k[1-7]\b/.test(line) && !DISPATCHED.test(current)) stray.add(current)
  }
  return [...stray]
}

test('a stray vector instruction is noticed', () => {
  const listing = [
    '0000000000001000 <ostrich::cpu::avx2::scale(float*)>:',
    '    1000:\tvmulps %ymm0,%ymm1,%ymm2',
    '0000000000002000 <ostrich::cpu::scale(float*)>:',
    '    2000:\tvmulps %ymm0,%ymm1,%ymm2',
  ]
  expect(strayVectorFunctions(listing.join('\n'))).toEqual(['ostrich::cpu::scale(float*)'])
})

test('code outside the run-time dispatch runs on any x86-64', async () => {
  const options = { maxBuffer: 1 << 30 }
  const { stdout } = await promisify(execFile)('objdump', ['-d', '-C', '--no-show-raw-insn', library], options)
  expect(stdout).toContain('%zmm')
  expect(strayVectorFunctions(stdout)).toEqual([])
})
