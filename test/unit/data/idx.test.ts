// IDX files: the three types, compression, and every truncated or hostile header.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DataError, parseIdx, PhiloxStream, readIdx } from '../../../lib/data/index.js'
import { idx } from './support.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('parseIdx', () => {
  it('reads u8 as a view', () => {
    const bytes = idx(8, [2, 3], [1, 2, 3, 4, 5, 6])
    const { dtype, shape, data } = parseIdx(bytes, 'f')
    expect({ dtype, shape, data: [...data] }).toEqual({ dtype: 'u8', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] })
    expect(data.buffer).toBe(bytes.buffer)
  })

  it('reads big-endian i32 and f32', () => {
    expect(parseIdx(idx(0x0c, [2], [0xff, 0xff, 0xff, 0xfe, 0, 0, 1, 0]), 'f').data).toEqual(Int32Array.of(-2, 256))
    expect(parseIdx(idx(0x0d, [1], [0x3f, 0xc0, 0, 0]), 'f').data).toEqual(Float32Array.of(1.5))
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /f: expected an IDX header of 4 bytes or more, got 0 bytes/],
    ['a wrong magic number', Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0), /IDX magic number .*got 0x01000801/],
    ['an f64 file', idx(0x0e, [0], []), /got 0x00000e01/],
    ['a cut header', idx(8, [2, 3], []).subarray(0, 11), /expected 12 bytes of IDX header \(rank 2\), got 11 bytes/],
    ['cut data', idx(8, [2, 3], [1, 2, 3]), /expected 18 bytes for shape \[2, 3\], got 15/],
    ['trailing bytes', idx(8, [2], [1, 2, 3]), /expected 10 bytes for shape \[2\], got 11/],
    // 2^32 - 1 cubed overflows a double; with a plain product a wrapped size could pass.
    ['huge extents', idx(8, [0xffffffff, 0xffffffff, 0xffffffff], []), /expected 79228162458924105385300197391 bytes/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'f')).toThrow(message)
    expect(() => parseIdx(bytes, 'f')).toThrow(DataError)
  })

  it('survives 5,000 mutated files with nothing but DataError', () => {
    const random = new PhiloxStream(1, 0, 0)
    for (let round = 0; round < 5000; round++) {
      const bytes = idx(8, [2, 3], [1, 2, 3, 4, 5, 6])
      for (let change = 0; change < 3; change++) bytes[random.below(bytes.length)] = random.below(256)
      try {
        parseIdx(bytes.subarray(0, bytes.length - random.below(3)), 'f')
      } catch (error) {
        expect(error).toBeInstanceOf(DataError)
      }
    }
  })
})

describe('readIdx', () => {
  it('reads plain and compressed files', async () => {
    const bytes = idx(8, [2], [7, 9])
    await writeFile(join(folder, 'plain'), bytes)
    await writeFile(join(folder, 'packed.gz'), gzipSync(bytes))
    for (const name of ['plain', 'packed.gz']) expect([...(await readIdx(join(folder, name))).data]).toEqual([7, 9])
  })

  it('refuses an absent file and damaged gzip, naming the file', async () => {
    await expect(readIdx(join(folder, 'absent'))).rejects.toThrow(/absent: expected a readable IDX file, got ENOENT/)
    const cut = gzipSync(idx(8, [2], [7, 9])).subarray(0, 20)
    await writeFile(join(folder, 'cut.gz'), cut)
    await expect(readIdx(join(folder, 'cut.gz'))).rejects.toThrow(/cut.gz: expected whole gzip data.*got Z_BUF_ERROR/)
    await expect(readIdx(join(folder, 'cut.gz'))).rejects.toThrow(DataError)
  })
})
