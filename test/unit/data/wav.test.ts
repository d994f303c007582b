// WAV files: what they hold comes out as numbers, to the bit, and what is no such file is refused by name.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWav, readSound, writeWav } from '../../../lib/data/index.js'
import { bytesOf, chunk, ends, noise, riff, shorts, wavFile, wavFormat, type WavParts } from '../../support/sounds.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-sounds-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** What samples of a kind look like in a file: their bytes, and the numbers that they stand for. */
const kinds: readonly (readonly [name: string, parts: WavParts, values: number[], bytes: Uint8Array, scale: number])[] =
  [
    [
      '8 bits',
      { bits: 8 },
      ends(8),
      bytesOf(ends(8), 1, (view, at, value) => {
        view.setUint8(at, value + 128)
      }),
      128,
    ],
    ['16 bits', { bits: 16 }, ends(16), shorts(ends(16)), 2 ** 15],
    [
      '24 bits',
      { bits: 24 },
      ends(24),
      bytesOf(ends(24), 3, (view, at, value) => {
        view.setUint16(at, value & 0xffff, true)
        view.setInt8(at + 2, value >> 16)
      }),
      2 ** 23,
    ],
    [
      '32 bits',
      { bits: 32 },
      ends(32),
      bytesOf(ends(32), 4, (view, at, value) => {
        view.setInt32(at, value, true)
      }),
      2 ** 31,
    ],
    [
      'floats of 32 bits',
      { bits: 32, tag: 3 },
      [0, 0.25, -1, 1.5],
      bytesOf([0, 0.25, -1, 1.5], 4, (view, at, value) => {
        view.setFloat32(at, value, true)
      }),
      1,
    ],
    [
      'floats of 64 bits',
      { bits: 64, tag: 3 },
      [0, 0.1, -1, 1.5],
      bytesOf([0, 0.1, -1, 1.5], 8, (view, at, value) => {
        view.setFloat64(at, value, true)
      }),
      1,
    ],
  ]

describe('WAV files', () => {
  it.each(kinds)('of %s', async (_, parts, values, bytes, scale) => {
    const expected = Array.from(values, (value) => Math.fround(value / scale))
    for (const valid of [undefined, parts.bits]) {
      const { samples, rate } = await readSound(wavFile(bytes, { ...parts, rate: 22_050, ...(valid && { valid }) }))
      expect(rate).toBe(22_050)
      expect([...samples]).toEqual(expected)
    }
  })

  it('of 12 bits on the high side of 16, and with the high byte first', async () => {
    const values = [-0x8000, 0x7ff0, 0x10, 0]
    const expected = values.map((value) => value / 0x8000)
    expect([...(await readSound(wavFile(shorts(values), { bits: 12 }))).samples]).toEqual(expected)
    const big = wavFile(shorts(values, false), { little: false, rate: 44_100 })
    expect(await readSound(big)).toEqual({ samples: Float32Array.from(expected), rate: 44_100 })
  })

  it('of mu-law and A-law, as G.711 has them', async () => {
    const codes = Uint8Array.of(0x00, 0x80, 0xff, 0x7f, 0xf0, 0x8f)
    const mu = await readSound(wavFile(codes, { tag: 7, bits: 8 }))
    expect([...mu.samples].map((value) => value * 32768 + 0)).toEqual([-32124, 32124, 0, 0, 120, 16764])
    const a = await readSound(wavFile(Uint8Array.of(0x2a, 0xaa, 0xd5, 0x55, 0xc5, 0x1a), { tag: 6, bits: 8 }))
    expect([...a.samples].map((value) => value * 32768)).toEqual([-32256, 32256, 8, -8, 264, -4032])
  })

  it('of several channels: one of them, or their mean', async () => {
    const file = wavFile(shorts([100, -300, 500, 200, 0, 400]), { channels: 3 })
    const scaled = async (channel?: number | 'mean') =>
      [...(await readSound(file, channel === undefined ? {} : { channel })).samples].map((value) => value * 32768)
    expect(await scaled(0)).toEqual([100, 200])
    expect(await scaled(2)).toEqual([500, 400])
    expect(await scaled()).toEqual([100, 200])
    expect(await scaled('mean')).toEqual([100, 200])
    await expect(readSound(file, { channel: 3 })).rejects.toThrow('sound: expected channel 3, got channels 0 to 2')
    await expect(readSound(wavFile(shorts([1])), { channel: 1 })).rejects.toThrow('expected channel 1, got one channel')
  })

  it('with chunks of other things, of odd sizes, around the samples', async () => {
    const other = chunk('LIST', Uint8Array.of(1, 2, 3))
    const data = chunk('data', shorts([1, 2]))
    const file = riff([other, wavFormat(), chunk('fact', Uint8Array.of(1)), data, chunk('data', shorts([3]))])
    expect((await readSound(file)).samples.length).toBe(2)
  })

  it.each([
    ['ffmpeg', 0xffff_ffff, 0xffff_ffff],
    ['sox', 0x7fff_f024, 0x7fff_f000],
    ['arecord', 0x7fff_ffff, 0x7fff_ffff],
    ['a recorder that was stopped', 0, 0],
  ])('whose length was not known when it began, as %s writes it', async (_, all, size) => {
    const bytes = riff([wavFormat(), chunk('data', shorts([1, 2, 3]), true, size)], true, all)
    expect((await readSound(bytes)).samples.length).toBe(3)
    // The byte of a sample that did not come.
    expect((await readSound(bytes.subarray(0, -1))).samples.length).toBe(2)
  })

  const data = chunk('data', shorts([1, 2]))
  it.each([
    ['cut short', wavFile(shorts([1, 2, 3])).subarray(0, -2), 'expected 6 bytes of samples, got 4: it was cut short'],
    ['without samples', wavFile(new Uint8Array()), 'expected samples, got none'],
    ['without a chunk of samples', riff([wavFormat()]), 'expected a WAV file with samples, got none (36 bytes)'],
    ['with nothing', riff([]), 'expected a WAV file with a format and samples, got none (12 bytes)'],
    ['without a format', riff([data, wavFormat()]), 'expected the format before the samples, got none'],
    ['with a short format', riff([chunk('fmt ', new Uint8Array(14)), data]), 'expected a format of at least 16 bytes'],
    ['of half a sample', wavFile(Uint8Array.of(1, 2, 3)), 'expected a multiple of 2 bytes of samples, got 3'],
    ['of no rate', wavFile(shorts([1]), { rate: 0 }), 'expected a rate from 1 to 1000000 Hz, got 0'],
    ['of no channels', wavFile(shorts([1]), { channels: 0, block: 2 }), 'got blocks of 2 bytes for 0 channels'],
    ['of no channels at all', wavFile(shorts([1]), { channels: 0, block: 0 }), 'got blocks of 0 bytes for 0 channels'],
    ['of other blocks', wavFile(shorts([1, 2]), { block: 4 }), 'got blocks of 4 bytes for 1 channels'],
    ['of 40 bits', wavFile(new Uint8Array(5), { bits: 40 }), 'got 40 bits of format 1'],
    ['of floats of 16 bits', wavFile(shorts([1]), { tag: 3 }), 'got 16 bits of format 3'],
    ['of MP3', wavFile(shorts([1]), { tag: 0x55 }), 'expected samples that are not compressed, got MP3. Run: ffmpeg'],
    ['of ADPCM', wavFile(shorts([1]), { tag: 0x11, bits: 4, block: 1 }), 'got IMA ADPCM. Run: ffmpeg'],
    [
      'with not a number',
      wavFile(shorts([0, 0, 0, 0x7fc0]), { tag: 3, bits: 32 }),
      'expected finite samples, got NaN at sample 1',
    ],
    ['longer than 4 GiB', Buffer.from('RF64\xff\xff\xff\xffWAVEds64', 'latin1'), 'got RF64, the kind of longer ones'],
    [
      'of an identifier that is not known',
      wavFile(shorts([1]), { valid: 16 }).map((byte, i) => (i === 50 ? byte + 1 : byte)),
      'expected a format of samples in WAVE_FORMAT_EXTENSIBLE',
    ],
  ])('are refused %s', async (_, bytes, message) => {
    await expect(readSound(bytes, { name: 'x.wav' })).rejects.toThrow(message)
    await expect(readSound(bytes, { name: 'x.wav' })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^x\.wav: expected /) as string,
    })
  })

  it('are written with 16 bits, and read as they were', async () => {
    const samples = Float32Array.from([...noise(1000, 16, 3)], (value) => value / 0x8000)
    const path = join(folder, 'made', 'noise.wav')
    await writeWav(path, { samples, rate: 11_025 })
    const read = await readSound(path)
    expect(read.rate).toBe(11_025)
    expect(read.samples.findIndex((sample, i) => sample !== samples[i])).toBe(-1)
    expect(read.samples.length).toBe(1000)
    expect([...(await readFile(path)).subarray(0, 44)]).toEqual([
      ...wavFile(shorts(noise(1000, 16, 3)), { rate: 11_025 }).subarray(0, 44),
    ])
    const loud = await readSound(encodeWav({ samples: Float32Array.of(2, -2, 0.99999), rate: 8000 }))
    expect([...loud.samples]).toEqual([32767 / 32768, -1, 32767 / 32768])
  })

  it.each([
    ['no sound', 3, 'encodeWav: expected a sound, { samples: Float32Array, rate }, got 3'],
    ['nothing', { samples: new Float32Array(0), rate: 8000 }, 'encodeWav: expected samples, got none'],
    ['what is no number', { samples: Float32Array.of(0, Infinity), rate: 8000 }, 'got Infinity at sample 1'],
    ['no rate', { samples: Float32Array.of(0), rate: 0.5 }, 'expected a rate from 1 to 1000000 Hz, got 0.5'],
  ])('are not written of %s', async (_, sound, message) => {
    await expect(writeWav(join(folder, 'none.wav'), sound as never)).rejects.toThrow(message)
  })
})
