// SPHERE files and samples without a header: what they hold comes out as numbers, to the bit; what is no sound is refused by name.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWav, readSound } from '../../../lib/data/index.js'
import { bytesOf, ends, shorts, sphereFile, sphereLines, tone, wavFile } from '../../support/sounds.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-sounds-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('NIST SPHERE files', () => {
  const values = ends(16)
  const expected = values.map((value) => value / 0x8000)

  it.each([
    ['the low byte first', '-s2 01', true],
    ['the high byte first', '-s2 10', false],
  ])('of 16 bits, %s', async (_, order, little) => {
    const file = sphereFile(sphereLines(values.length, { sample_byte_format: order }), shorts(values, little))
    expect(await readSound(file)).toEqual({ samples: Float32Array.from(expected), rate: 16_000 })
  })

  it('of 8 bits, mu-law and A-law', async () => {
    const read = async (bytes: Uint8Array, coding: string | undefined) => {
      const lines = sphereLines(bytes.length, {
        sample_n_bytes: '-i 1',
        sample_byte_format: '-s1 1',
        sample_coding: coding,
      })
      return [...(await readSound(sphereFile(lines, bytes))).samples].map((value) => value * 32768)
    }
    expect(await read(Uint8Array.of(0x80, 0xff, 0, 1, 0x7f), undefined)).toEqual([-32768, -256, 0, 256, 32512])
    expect(await read(Uint8Array.of(0x00, 0x80), '-s4 ulaw')).toEqual([-32124, 32124])
    expect(await read(Uint8Array.of(0x00, 0x80), '-s6 mu-law')).toEqual([-32124, 32124])
    expect(await read(Uint8Array.of(0x2a, 0xaa), '-s4 alaw')).toEqual([-32256, 32256])
  })

  it('of two channels, with a longer header, and with bytes behind the samples', async () => {
    const lines = sphereLines(2, { channel_count: '-i 2', channels_interleaved: '-s4 TRUE' })
    const file = sphereFile(lines, shorts([1, 2, 3, 4, 5]), 2048)
    const { samples } = await readSound(file, { channel: 1 })
    expect([...samples].map((value) => value * 32768)).toEqual([2, 4])
    // All that there are, where the header does not say how many.
    expect(
      (await readSound(sphereFile(sphereLines(0, { sample_count: undefined }), shorts([1, 2, 3])))).samples.length,
    ).toBe(3)
  })

  const file = (others: Readonly<Record<string, string | undefined>>) =>
    sphereFile(sphereLines(2, others), shorts([1, 2]))
  it.each([
    [
      'compressed',
      file({ sample_coding: '-s26 pcm,embedded-shorten-v2.00' }),
      'got shorten (pcm,embedded-shorten-v2.00). Run: sph2pipe',
    ],
    ['cut short', file({ sample_count: '-i 3' }), 'expected 3 samples of each channel, got 2: it was cut short'],
    ['cut within the header', file({}).subarray(0, 900), 'expected a header of 1024 bytes, got 900: it was cut short'],
    ['without samples', file({ sample_count: '-i 0' }), 'expected samples, got none'],
    [
      'without a rate',
      file({ sample_rate: undefined }),
      'expected sample_rate as a whole number in the header, got none',
    ],
    [
      'of a rate in words',
      file({ sample_rate: '-s3 low' }),
      'expected sample_rate as a whole number in the header, got low',
    ],
    ['of no byte order', file({ sample_byte_format: undefined }), 'expected sample_byte_format 01 or 10, got none'],
    [
      'of 3 bytes',
      file({ sample_n_bytes: '-i 3' }),
      'expected samples pcm of 1 or 2 bytes, ulaw or alaw of 1, got pcm of 3',
    ],
    ['of another coding', file({ sample_coding: '-s5 adpcm' }), 'got adpcm of 2'],
    ['of no channels', file({ channel_count: '-i 0' }), 'expected a channel, got channel_count 0'],
    [
      'of channels one behind the other',
      file({ channel_count: '-i 2', channels_interleaved: '-s5 FALSE' }),
      'got channels_interleaved FALSE',
    ],
    ['of a size in words', Buffer.from('NIST_1A\n   long\n'), 'expected the size of the header in its second line'],
    [
      'of a size beyond reason',
      Buffer.from('NIST_1A\n99999999\n'),
      'expected the size of the header in its second line',
    ],
    [
      'with a header that has no end',
      Buffer.from(`NIST_1A\n     32\n${'x'.repeat(20)}`),
      'expected a header with a line end_head',
    ],
  ])('are refused %s', async (_, bytes, message) => {
    await expect(readSound(bytes, { name: 'x.sph' })).rejects.toThrow(message)
    await expect(readSound(bytes, { name: 'x.sph' })).rejects.toMatchObject({ code: 'ERR_DATA' })
  })
})

describe('samples without a header', () => {
  it('are read as they are said to be', async () => {
    const little = shorts([1, -2, 3, 4])
    const scaled = async (bytes: Uint8Array, raw: object, channel?: number) => {
      const { samples, rate } = await readSound(bytes, { raw: raw as never, ...(channel !== undefined && { channel }) })
      return [rate, ...[...samples].map((value) => value * 32768)]
    }
    expect(await scaled(little, { rate: 8000 })).toEqual([8000, 1, -2, 3, 4])
    expect(await scaled(shorts([1, -2], false), { rate: 4000, byteOrder: 'big' })).toEqual([4000, 1, -2])
    expect(await scaled(little, { rate: 8000, channels: 2 }, 1)).toEqual([8000, -2, 4])
    expect(await scaled(Uint8Array.of(0x80), { rate: 8000, encoding: 'ulaw' })).toEqual([8000, 32124])
    const big = Uint8Array.of(0x80, 0, 0, 0x00, 0x01, 0x00)
    expect(await scaled(big, { rate: 8000, encoding: 's24', byteOrder: 'big' })).toEqual([8000, -32768, 1])
    const doubles = bytesOf([0.5], 8, (view, at, value) => {
      view.setFloat64(at, value)
    })
    expect(await scaled(doubles, { rate: 8000, encoding: 'f64', byteOrder: 'big' })).toEqual([8000, 16384])
  })

  it.each([
    [
      'of half a sample',
      Uint8Array.of(1, 2, 3),
      { rate: 8000 },
      'sound: expected a multiple of 2 bytes, samples s16, got 3',
    ],
    [
      'of half a block',
      shorts([1, 2, 3]),
      { rate: 8000, channels: 2 },
      'a multiple of 4 bytes, samples s16 of 2 channels, got 6',
    ],
    ['of no rate', shorts([1]), {}, 'readSound[raw][rate]: expected a whole number of at least 1, got undefined'],
    ['of another kind', shorts([1]), { rate: 8000, encoding: 's12' }, 'readSound[raw][encoding]: expected u8, s8, s16'],
    ['with a slip', shorts([1]), { rate: 8000, endian: 'big' }, 'readSound[raw]: expected the options rate, encoding'],
    [
      'of another order',
      shorts([1]),
      { rate: 8000, byteOrder: 'middle' },
      'readSound[raw][byteOrder]: expected little, big',
    ],
  ])('are refused %s', async (_, bytes, raw, message) => {
    await expect(readSound(bytes, { raw: raw as never })).rejects.toThrow(message)
  })
})

describe('readSound', () => {
  it('reads a file, whatever it is called, at the rate that is asked for', async () => {
    const path = join(folder, 'tone.dat')
    await writeFile(path, encodeWav({ samples: tone(440, 44_100, 4410), rate: 44_100 }))
    const { samples, rate } = await readSound(path, { rate: 16_000 })
    expect([rate, samples.length]).toEqual([16_000, 1600])
  })

  it.each([
    ['OggS', 'Ogg. Run: ffmpeg -i x OUT.wav'],
    ['ID3\x04', 'MP3. Run'],
    ['\xff\xfb\x90', 'MP3. Run'],
    ['FORM\0\0\0\0AIFF', 'AIFF. Run'],
    ['\0\0\0\x20ftypM4A ', 'MP4. Run'],
    ['.snd', 'AU. Run'],
    ['\x1f\x8b', 'gzip'],
    ['<html>', 'other contents'],
    ['RIFF\x10\0\0\0AVI ', 'other contents'],
    ['x', 'other contents'],
  ])('names what it does not read: %j', async (text, kind) => {
    const bytes = Buffer.from(text, 'latin1')
    const expected = `a/x: expected a WAV, NIST SPHERE or FLAC file (\`raw\` reads samples alone), got ${kind}`
    await expect(readSound(bytes, { name: 'a/x' })).rejects.toThrow(expected)
  })

  it('refuses what is not there, is empty or no file', async () => {
    const empty = join(folder, 'empty.wav')
    await writeFile(empty, '')
    await expect(readSound(empty)).rejects.toThrow('empty.wav: expected a sound, got no bytes')
    await expect(readSound(join(folder, 'none.wav'))).rejects.toThrow(
      'none.wav: expected a file that can be read, got ENOENT',
    )
    await expect(readSound(folder)).rejects.toThrow(`${folder}: expected a file, got a folder`)
    await expect(readSound('/dev/zero')).rejects.toThrow('/dev/zero: expected a file, got none')
  })

  it('refuses options that are not known or of another kind', async () => {
    const bytes = wavFile(shorts([1]))
    await expect(readSound(bytes, { rates: 1 } as never)).rejects.toThrow('got rates (did you mean rate?)')
    await expect(readSound(bytes, { rate: -1 })).rejects.toMatchObject({ code: 'ERR_OPTION' })
    await expect(readSound(bytes, { channel: 'left' } as never)).rejects.toThrow('readSound[channel]: expected mean or')
    await expect(readSound(3 as never)).rejects.toThrow('readSound[source]: expected a text or a Uint8Array, got 3')
  })
})
