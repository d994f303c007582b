// Replacing a file: a disk that fills up at any byte, a process that died, and what is left behind.
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { replaceFile } from '../../../lib/files/atomic-file.js'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../../lib/files/safetensors.js'

/** Bytes that the disk still takes, and the call that fails beside it. */
const disk = vi.hoisted(() => ({ free: Infinity, failing: '' }))
const full = (call: string): Error =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' })

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  const open: typeof fs.open = async (...args) => {
    const handle = await real.open(...args)
    if (args[1] !== 'wx') return handle
    const write = handle.write.bind(handle) as (bytes: Uint8Array, at: number, length: number) => Promise<unknown>
    return Object.assign(handle, {
      async write(bytes: Uint8Array, at: number, length: number) {
        if (disk.free === 0) throw full('write')
        // A nearly full disk takes a part first, as write(2) does.
        const taken = Math.min(length, disk.free)
        disk.free -= taken
        return write(bytes, at, taken)
      },
      ...(disk.failing === 'sync' ? { sync: () => Promise.reject(full('fsync')) } : {}),
    })
  }
  const rename: typeof fs.rename = (...args) =>
    disk.failing === 'rename' ? Promise.reject(full('rename')) : real.rename(...args)
  return { ...real, open, rename }
})

let folder = ''
let path = ''
beforeEach(async () => {
  Object.assign(disk, { free: Infinity, failing: '' })
  folder = await fs.mkdtemp(join(tmpdir(), 'ostrich-test-'))
  path = join(folder, 'file')
})
afterEach(() => fs.rm(folder, { recursive: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('replaceFile', () => {
  it('makes a file, then replaces it, leaving nothing else', async () => {
    for (const text of ['one', 'second', '']) {
      await replaceFile(path, async (file) => {
        await file.write(bytes(text))
        await file.write(bytes('!'))
      })
      expect(await fs.readFile(path, 'utf8')).toBe(`${text}!`)
    }
    expect(await fs.readdir(folder)).toEqual(['file'])
  })

  it.each([0, 1, 5, 9])('keeps the old file when the disk takes %d of 10 bytes', async (free) => {
    await fs.writeFile(path, 'old')
    disk.free = free
    await expect(replaceFile(path, (file) => file.write(bytes('0123456789')))).rejects.toThrow('ENOSPC')
    expect(await fs.readFile(path, 'utf8')).toBe('old')
    expect(await fs.readdir(folder)).toEqual(['file'])
  })

  it.each(['sync', 'rename'])('keeps the old file when %s fails', async (failing) => {
    await fs.writeFile(path, 'old')
    disk.failing = failing
    await expect(replaceFile(path, (file) => file.write(bytes('new')))).rejects.toThrow('ENOSPC')
    expect(await fs.readFile(path, 'utf8')).toBe('old')
    expect(await fs.readdir(folder)).toEqual(['file'])
  })

  it('removes what a killed process left, but not what another one is writing', async () => {
    const [dead, alive, other] = ['.file.dead.tmp', '.file.alive.tmp', '.other.dead.tmp'].map((name) =>
      join(folder, name),
    )
    for (const name of [dead!, alive!, other!]) await fs.writeFile(name, '')
    const hourAgo = new Date(Date.now() - 3_600_000)
    for (const name of [dead!, other!]) await fs.utimes(name, hourAgo, hourAgo)
    await replaceFile(path, (file) => file.write(bytes('x')))
    expect((await fs.readdir(folder)).sort()).toEqual(['.file.alive.tmp', '.other.dead.tmp', 'file'])
  })

  it('lets two writers of one path finish, each whole', async () => {
    const texts = ['a', 'b'].map((letter) => letter.repeat(100_000))
    await Promise.all(texts.map((text) => replaceFile(path, (file) => file.write(bytes(text)))))
    expect(texts).toContain(await fs.readFile(path, 'utf8'))
    expect(await fs.readdir(folder)).toEqual(['file'])
  })
})

describe('a checkpoint', () => {
  const tensors = { w: { dtype: 'F32', shape: [1000], data: new Float32Array(1000).fill(1) } } as const

  it.each([0, 8, 100, 4000])('survives a disk that is full after %d bytes', async (free) => {
    await writeSafetensors(path, tensors)
    disk.free = free
    const writing = writeSafetensors(path, { w: { ...tensors.w, data: new Float32Array(1000).fill(2) } })
    await expect(writing).rejects.toThrow(
      /file: expected to write the file, got ENOSPC.*what was there before is unchanged/,
    )
    await expect(writing).rejects.toThrow(CheckpointError)
    await using file = await openSafetensors(path)
    expect(await file.read('w')).toEqual(tensors.w.data)
    expect(await fs.readdir(folder)).toEqual(['file'])
  })
})
