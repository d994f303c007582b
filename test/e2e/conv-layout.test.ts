// Processes agree on the layout of convolutions, and so on the last bits: `info` says it, OSTRICH_CONVOLUTIONS sets it.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { addonPath } from '../../lib/runtime/index.js'

const script = `
  const { Device } = require(process.argv[1])
  const options = { backend: 'cpu', index: 0, threads: 1, profile: false, deterministic: false, memoryLimit: 0 }
  try {
    console.log(new Device(options).info().convolutions)
  } catch (error) {
    console.log(error.code, error.message)
  }`

/** What another process says of its layout. */
function said(choice?: string): Promise<string> {
  const { OSTRICH_CONVOLUTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['-e', script, addonPath()], {
    env: { ...env, ...(choice !== undefined && { OSTRICH_CONVOLUTIONS: choice }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return text(child.stdout)
}

describe('the layout of convolutions', () => {
  it('is one and the same in every process, busy or not', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => said()))
    expect(new Set(all).size).toBe(1)
    expect(all[0]).toMatch(/^(blocked|channels last)\n$/)
  })

  it('is what the environment asks for', async () => {
    expect(await said('blocked')).toBe('blocked\n')
    expect(await said('channels-last')).toBe('channels last\n')
    expect(await said('nhwc')).toBe('ERR_ARGUMENT OSTRICH_CONVOLUTIONS: expected blocked or channels-last, got nhwc\n')
  })
})
