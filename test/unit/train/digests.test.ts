// Digests in a safetensors file: every bit that changes is found and named, and the file stays plain for other readers.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkCheckpoint, type CheckpointInfo, openCheckpoint } from '../../../lib/train/checkpoint.js'
import {
  CheckpointError,
  openSafetensors,
  type TensorSource,
  writeSafetensors,
} from '../../../lib/files/safetensors.js'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  path = join(folder, 'net.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

const tensors: Record<string, TensorSource> = {
  'net/w': { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1.5, -0, Infinity, 4, 5, 6) },
  'Größe 重み': { dtype: 'BF16', shape: [2, 1], data: () => Promise.resolve(Uint16Array.of(0x3f80, 0xc000)) },
  '7': { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) },
  empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  step: { dtype: 'I32', shape: [], data: Int32Array.of(3) },
}
const info: CheckpointInfo = {
  version: 1,
  ...{ step: 3, epoch: 0, stepInEpoch: 3, seed: 1, batch: 16, precision: 'f32', device: 'cpu', processor: 'any' },
  ...{ threads: 2, versions: {}, fields: {}, data: 'abc', parameters: ['net/w'], config: null, digests: true },
}

const written = (about: CheckpointInfo = info): Promise<void> =>
  writeSafetensors(path, tensors, { ostrich: JSON.stringify(about), other: 'kept' }, { digests: true })

/** The header's JSON, and where the tensors begin. */
async function headerOf(): Promise<{ json: Record<string, unknown>; dataStart: number }> {
  const bytes = await readFile(path)
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0))
  return { json: JSON.parse(bytes.subarray(8, dataStart).toString()) as Record<string, unknown>, dataStart }
}

/** Replaces the header by another of the same or another length. */
async function reword(change: (json: Record<string, Record<string, unknown>>) => unknown): Promise<void> {
  const bytes = await readFile(path)
  const { json, dataStart } = await headerOf()
  const header = Buffer.from(JSON.stringify(change(json as Record<string, Record<string, unknown>>)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await writeFile(path, Buffer.concat([length, header, bytes.subarray(dataStart)]))
}

describe('a file with digests', () => {
  it('is read as any other, and found to be whole', async () => {
    await written()
    await using file = await openSafetensors(path)
    expect(Object.fromEntries(file.metadata)).toEqual({ ostrich: JSON.stringify(info), other: 'kept' })
    expect(await file.read('net/w')).toEqual(tensors['net/w']?.data)
    expect(await file.check()).toBe(true)
    expect(await checkCheckpoint(path)).toMatchObject({ tensors: 5, bytes: 24 + 4 + 3 + 4, digests: true, info })
    const { json } = await headerOf()
    expect(Object.keys(json['__metadata__'] as object)).toEqual(['ostrich', 'other', 'ostrich.sha256'])
  })

  it('is refused for any bit that changes, naming the tensor where it is in one', { timeout: 60_000 }, async () => {
    await written()
    const whole = await readFile(path)
    const { json, dataStart } = await headerOf()
    // Every third of the header, all of the tensors.
    for (let bit = 0; bit < 8 * whole.length; bit += bit < 8 * dataStart ? 3 : 1) {
      const bytes = Buffer.from(whole)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(path, bytes)
      const error = await checkCheckpoint(path).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error, `bit ${bit}`).toBeInstanceOf(CheckpointError)
      const place = (bit >> 3) - dataStart
      if (place < 0) continue
      const [name] = Object.entries(json).find(([, entry]) => {
        const [begin, end] = (entry as { data_offsets?: [number, number] }).data_offsets ?? [0, 0]
        return begin <= place && place < end
      })!
      expect((error as Error).message).toMatch(/expected the bytes that were written, of sha256 \w{64}, got \w{64}/)
      expect((error as Error).message).toContain(`${path}[${name}]`)
    }
  })

  it('of several pieces is hashed whole, and read while the event loop turns', async () => {
    const data = Float32Array.from({ length: 3 * 2 ** 18 + 5 }, (_, i) => Math.sin(i))
    const big = {
      a: { dtype: 'F32', shape: [data.length], data },
      b: { dtype: 'F32', shape: [2], data: data.slice(0, 2) },
    } as const
    await writeSafetensors(path, big, {}, { digests: true })
    const seen: number[] = []
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    expect((await checkCheckpoint(path, (done, total) => seen.push(total - done))).digests).toBe(true)
    clearInterval(timer)
    expect(seen).toHaveLength(5)
    expect(seen.at(-1)).toBe(0)
    expect(turns).toBeGreaterThan(0)
    const { dataStart } = await headerOf()
    const bytes = await readFile(path)
    bytes[dataStart + 2 ** 20 + 11]! ^= 1
    await writeFile(path, bytes)
    await expect(checkCheckpoint(path)).rejects.toThrow(/net\.safetensors\[a\]: expected the bytes that were written/)
  })

  it('is refused where its digests are gone or others', async () => {
    const cases: readonly (readonly [(json: Record<string, Record<string, unknown>>) => unknown, RegExp])[] = [
      [
        ({ __metadata__, ...rest }) => ({ __metadata__: { ostrich: __metadata__!['ostrich'] }, ...rest }),
        /\[ostrich\]: expected digests, as the entry says, got none: damaged/,
      ],
      [
        ({ __metadata__, ...rest }) => ({ __metadata__: { ...__metadata__, other: 'changed' }, ...rest }),
        /expected the header that was written, got another by its sha256/,
      ],
      [
        ({ __metadata__, ...rest }) => ({ __metadata__: { ...__metadata__, 'ostrich.sha256': '{}' }, ...rest }),
        /\[ostrich\.sha256\]: expected sha256 of the header and of each tensor/,
      ],
      [
        ({ '7': seven, ...rest }) => ({ ...rest, '8': seven }),
        /\[8\]: expected a digest of every tensor, got none of this/,
      ],
    ]
    for (const [change, message] of cases) {
      await written()
      await reword(change)
      await expect(openCheckpoint(path)).rejects.toThrow(message)
      await expect(openCheckpoint(path)).rejects.toThrow(CheckpointError)
    }
  })
})

describe('a checkpoint', () => {
  it('is held to its own counter of steps', async () => {
    await written({ ...info, step: 4 })
    await expect(checkCheckpoint(path)).rejects.toThrow(/\[step\]: expected 4, as \[ostrich\] says, got 3/)
  })

  it('without digests, from an older version or another program, is read and said to have none', async () => {
    const { digests: _, ...older } = info
    await writeSafetensors(path, tensors, { ostrich: JSON.stringify(older) })
    expect(await checkCheckpoint(path)).toMatchObject({ digests: false, info: older })
    await writeSafetensors(path, tensors)
    expect(await checkCheckpoint(path)).toMatchObject({ tensors: 5, digests: false, info: undefined })
  })
})
