// FLAC files: what they hold comes out to the bit, and damage that the decoder goes on over is found.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { readSound, readSounds } from '../../../lib/data/index.js'
import { openFiles } from '../../../lib/data/open-files.js'
import { flacFile, noise } from '../../support/sounds.js'
import { sharedData } from '../../support/shared-data.js'

const PACKAGE = '@wasm-audio-decoders/flac'

afterEach(() => {
  vi.doUnmock(PACKAGE)
  vi.resetModules()
})

describe('FLAC files', () => {
  it.each([8, 16, 24])('of %d bits', async (bits) => {
    const values = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, 1, ...noise(2500, bits, bits)]
    const { samples, rate } = await readSound(flacFile([values], 16_000, bits))
    expect([rate, samples.length]).toEqual([16_000, values.length])
    expect(samples.findIndex((sample, i) => sample !== values[i]! / 2 ** (bits - 1))).toBe(-1)
  })

  it('of two channels, and behind a tag', async () => {
    const [left, right] = [noise(1500, 16, 1), noise(1500, 16, 2)]
    const file = flacFile([left, right], 44_100, 16)
    const second = await readSound(file, { channel: 1 })
    expect(second.samples.findIndex((sample, i) => sample !== right[i]! / 0x8000)).toBe(-1)
    const mean = await readSound(file)
    expect(mean.samples.findIndex((sample, i) => sample !== Math.fround((left[i]! + right[i]!) / 0x10000))).toBe(-1)
    const tag = Buffer.from([0x49, 0x44, 0x33, 3, 0, 0, 0, 0, 1, 2, ...new Array<number>(130).fill(7)])
    expect((await readSound(Buffer.concat([tag, file]))).samples.length).toBe(1500)
    await expect(readSound(file, { channel: 2 })).rejects.toThrow('expected channel 2, got channels 0 to 1')
  })

  it('of which neither number of samples nor digest is known', async () => {
    const values = noise(1100, 16, 4)
    const file = flacFile([values], 8000, 16)
    // The count is the low 36 bits of the eight bytes at 18, and the digest the 16 behind them.
    file[21]! &= 0xf0
    file.fill(0, 22, 42)
    expect((await readSound(file)).samples.length).toBe(1100)
  })

  const whole = flacFile([noise(3000, 16, 7)], 16_000, 16)
  const changed = (at: number, byte: number): Uint8Array => whole.map((old, i) => (i === at ? byte : old))
  it.each([
    ['cut short', whole.subarray(0, 4000), /^x\.flac: expected 3000 samples, got 1024: it is damaged or cut short$/],
    ['cut within its properties', whole.subarray(0, 30), /^x\.flac: expected a FLAC file with its stream's properties/],
    ['that begin with another block', changed(4, 0x81), /expected a FLAC file with its stream's properties/],
    [
      'that have nothing but properties',
      whole.subarray(0, 42),
      /^x\.flac: expected 3000 samples, got 0: it is damaged or cut short$/,
    ],
    ['damaged', changed(3000, whole[3000]! ^ 1), /^x\.flac: expected 3000 samples, got 1024: it is damaged/],
    [
      'of parts of no kind that there is',
      flacFile([noise(3000, 16, 7)], 16_000, 16, 0b000010),
      /expected a whole FLAC file, got .*LOST_SYNC/,
    ],
    ['of another digest', changed(30, whole[30]! ^ 1), /^x\.flac: expected samples with the digest .*: it is damaged/],
    [
      'of another rate than their frames',
      changed(18, whole[18]! ^ 1),
      /expected 1 channels at 11904 Hz, got 1 channels at 16000 Hz/,
    ],
    ['of 12 bits', changed(21, (whole[21]! & 0x0f) | 0xb0), /expected samples of 8, 16 or 24 bits, got 12/],
    [
      'of no rate',
      changed(18, 0)
        .fill(0, 19, 20)
        .map((byte, i) => (i === 20 ? byte & 0x0f : byte)),
      /expected a rate from 1/,
    ],
  ])('are refused %s, and nothing is printed', async (_, bytes, message) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await expect(readSound(bytes, { name: 'x.flac' })).rejects.toThrow(message)
    await expect(readSound(bytes, { name: 'x.flac' })).rejects.toMatchObject({ code: 'ERR_DATA' })
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
  })

  it('say what to install where their package is absent', async () => {
    vi.resetModules()
    vi.doMock(PACKAGE, () => {
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    const { readSound: read } = await import('../../../lib/data/audio/read-sound.js')
    await expect(read(whole)).rejects.toThrow(
      /expected the package @wasm-audio-decoders\/flac.*Run: npm install @wasm-audio/,
    )
  })

  const archive = sharedData('an4', 'an4-16k-flac.tar.gz')
  it.skipIf(archive === undefined)('of AN4 are sample for sample its SPHERE files', { timeout: 60_000 }, async () => {
    const files = await openFiles(archive!, 'an4', 'AN4')
    for (const name of ['an251-fash-b', 'cen7-fash-b']) {
      const flac = await readSound(await files.read(`an4/train/fash/${name}.flac`))
      const sphere = await readSound(await files.read(`an4/sphere_samples/${name}.sph`))
      expect([flac.rate, flac.samples.length]).toEqual([sphere.rate, sphere.samples.length])
      expect(flac.samples.findIndex((sample, i) => sample !== sphere.samples[i])).toBe(-1)
      // The header has a sum of the samples, of 16 bits.
      const header = new TextDecoder('latin1').decode(
        (await files.read(`an4/sphere_samples/${name}.sph`)).subarray(0, 1024),
      )
      const sum = sphere.samples.reduce((sum, sample) => sum + sample * 0x8000, 0)
      expect(((sum % 65_536) + 65_536) % 65_536).toBe(Number(/sample_checksum -i (\d+)/.exec(header)?.[1]))
    }
  })
})

describe('a folder of FLAC files', () => {
  it('fails at once where the decoder is absent, and names no file as bad', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ostrich-flac-'))
    await writeFile(join(folder, 'a.flac'), flacFile([noise(20, 16, 1)], 8000, 16))
    expect((await readSounds(folder)).sounds.map(({ name }) => name)).toEqual(['a.flac'])
    vi.resetModules()
    vi.doMock(PACKAGE, () => {
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    const { readSounds: read } = await import('../../../lib/data/audio/read-sounds.js')
    await expect(read(folder)).rejects.toThrow(/^readSound: expected the package/)
    await rm(folder, { recursive: true })
  })
})
