// Folders of sounds: all that can be read, in order; what is damaged named and counted.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWav, readSounds } from '../../../lib/data/index.js'
import { shorts, sphereFile, sphereLines, tone } from '../../support/sounds.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-folder-'))
  await mkdir(join(folder, 'b', '.hidden'), { recursive: true })
  await mkdir(join(folder, 'empty'))
  const wav = encodeWav({ samples: tone(440, 8000, 80), rate: 8000 })
  const files: Readonly<Record<string, Uint8Array>> = {
    'z.wav': wav,
    'b/a.WAV': sphereFile(sphereLines(4), shorts([1, 2, 3, 4])),
    'b/short.wav': wav.subarray(0, 100),
    'a.sph': Buffer.from('no sound'),
    'silent.wav': new Uint8Array(),
    'text.txt': Buffer.from('a'),
    'bare.raw': shorts([1, 2]),
    '.hidden.wav': wav,
    'b/.hidden/c.wav': wav,
  }
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('readSounds', () => {
  it('reads what can be read, and tells the rest', async () => {
    const steps: string[] = []
    const found = await readSounds(folder, { rate: 8000, onProgress: (done, total) => steps.push(`${done}/${total}`) })
    expect(found.sounds.map(({ name, sound }) => [name, sound.samples.length, sound.rate])).toEqual([
      ['b/a.WAV', 2, 8000],
      ['z.wav', 80, 8000],
    ])
    expect(found.bad).toEqual([
      {
        name: 'a.sph',
        reason: 'expected a WAV, NIST SPHERE or FLAC file (`raw` reads samples alone), got other contents',
      },
      { name: 'b/short.wav', reason: 'expected 160 bytes of samples, got 56: it was cut short' },
      { name: 'silent.wav', reason: 'expected a sound, got no bytes' },
    ])
    expect(found.passedOver).toEqual(['bare.raw', 'text.txt'])
    expect(steps).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
  })

  it('reads samples without a header, where it is told what they are', async () => {
    const { sounds, bad } = await readSounds(folder, { raw: { rate: 8000, encoding: 's8' } })
    expect(sounds.map(({ name }) => name)).toContain('bare.raw')
    expect(bad.map(({ name }) => name)).toEqual(['silent.wav'])
  })

  it('fails for the first bad file where it is told to', async () => {
    await expect(readSounds(folder, { onBad: 'fail' })).rejects.toThrow(/(a\.sph|short\.wav|silent\.wav): expected /)
  })

  it('stops when it is told to', async () => {
    await expect(readSounds(folder, { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/)
  })

  it('refuses a folder without sounds, with bad ones alone, or that is not there', async () => {
    await expect(readSounds(join(folder, 'empty'))).rejects.toThrow('expected sounds (.wav, .sph, .flac), got none')
    const bad = join(folder, 'bad')
    await mkdir(bad)
    await writeFile(join(bad, 'x.wav'), 'x')
    await expect(readSounds(bad)).rejects.toThrow('got 1 bad ones: x.wav: expected a WAV')
    await rm(bad, { recursive: true })
    await expect(readSounds(join(folder, 'none'))).rejects.toThrow(
      'none: expected a folder that can be read, got ENOENT',
    )
    await expect(readSounds(folder, { onbad: 'fail' } as never)).rejects.toThrow('got onbad (did you mean onBad?)')
  })
})
