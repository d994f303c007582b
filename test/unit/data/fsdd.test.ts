// FSDD: strings of digits that are joined of recordings of one speaker, from the takes of their part alone, the same ones for the same seed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digitWords, encodeWav, fsdd, fsddSpeakers, getFsdd, type Utterance } from '../../../lib/data/index.js'
import { sharedData } from '../../support/shared-data.js'
import { tarEntry, tarOf } from './support.js'

let folder = ''
let dir = ''
const TAKES = 50

/** A number for each recording, not 0. */
const numberOf = (digit: number, speaker: number, take: number): number => 1 + (digit * 6 + speaker) * TAKES + take

const entries = fsddSpeakers.flatMap((name, speaker) =>
  digitWords.flatMap((_, digit) =>
    Array.from({ length: TAKES }, (_, take) => {
      const samples = new Float32Array(5 + digit).fill(numberOf(digit, speaker, take) / 0x8000)
      return [`recordings/${digit}_${name}_${take}.wav`, encodeWav({ samples, rate: 8000 })] as const
    }),
  ),
)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-fsdd-'))
  dir = join(folder, 'fsdd')
  const from = join(folder, 'recordings.tar')
  await writeFile(from, tarOf(...entries.map(([name, bytes]) => tarEntry(name, bytes))))
  await getFsdd({ dir, from })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Heard {
  readonly digits: string
  readonly speakers: ReadonlySet<string>
  readonly takes: readonly number[]
  /** Samples of each pause. */
  readonly pauses: readonly number[]
}

/** What a joined string holds, by the numbers of its samples. */
function heard({ sound }: Utterance): Heard {
  const runs: [value: number, count: number][] = []
  for (const sample of sound.samples) {
    const value = Math.round(sample * 0x8000)
    const last = runs.at(-1)
    if (last?.[0] === value) last[1]++
    else runs.push([value, 1])
  }
  const found = runs.filter(([value]) => value > 0).map(([value]) => value - 1)
  return {
    digits: found.map((value) => digitWords[Math.floor(value / (6 * TAKES))]!).join(' '),
    speakers: new Set(found.map((value) => fsddSpeakers[Math.floor(value / TAKES) % 6]!)),
    takes: found.map((value) => value % TAKES),
    pauses: runs.filter(([value]) => value === 0).map(([, count]) => count),
  }
}

const strings = { train: 400, validation: 200, test: 300 }

describe('strings of FSDD', () => {
  it('are of one speaker each, of the takes of their part, with pauses around each digit', async () => {
    const parts = await fsdd({ dir, strings })
    const ranges = { train: [10, 49], validation: [5, 9], test: [0, 4] } as const
    for (const [name, [least, most]] of Object.entries(ranges)) {
      const part = parts[name as keyof typeof ranges]!
      expect(part.length).toBe(strings[name as keyof typeof ranges])
      const all = part.map(heard)
      expect(part.findIndex(({ transcript }, i) => transcript !== all[i]!.digits)).toBe(-1)
      expect(part.findIndex(({ speaker }, i) => [...all[i]!.speakers].join() !== speaker)).toBe(-1)
      const takes = all.flatMap((one) => one.takes)
      expect([Math.min(...takes), Math.max(...takes)]).toEqual([least, most])
      expect(all.findIndex(({ pauses, takes }) => pauses.length !== takes.length + 1)).toBe(-1)
      const pauses = all.flatMap((one) => one.pauses)
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(400)
      expect(Math.max(...pauses)).toBeLessThanOrEqual(2400)
      expect(Math.max(...pauses)).toBeGreaterThan(2300)
      const lengths = new Set(all.map((one) => one.takes.length))
      expect([...lengths].sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
      expect(new Set(part.map(({ speaker }) => speaker)).size).toBe(6)
      expect(new Set(part.flatMap(({ transcript }) => transcript.split(' '))).size).toBe(10)
    }
  })

  it('are the same for the same seed, begin alike where there are more, and differ otherwise', async () => {
    const transcripts = async (options: object) =>
      (await fsdd({ dir, ...options })).test.map(({ transcript }) => transcript)
    const few = await transcripts({ strings: { test: 50 } })
    expect((await transcripts({ strings: { test: 60, train: 1 } })).slice(0, 50)).toEqual(few)
    const other = await transcripts({ strings: { test: 50 }, seed: 2 })
    expect(other.filter((line, i) => line === few[i]).length).toBeLessThan(10)
    const { train, validation, test } = await fsdd({ dir, strings: { train: 50, validation: 50, test: 50 } })
    for (const part of [train, validation!]) {
      expect(part.filter(({ transcript }, i) => transcript === test[i]!.transcript).length).toBeLessThan(10)
    }
    // The same samples each time that they are asked for.
    expect(test[3]!.sound).toEqual(test[3]!.sound)
  })

  it('leave a speaker who is held out to the test', async () => {
    const { train, validation, test } = await fsdd({ dir, strings, heldOut: 'theo' })
    expect([...train, ...validation!].some(({ speaker }) => speaker === 'theo')).toBe(false)
    expect(test.every(({ speaker }) => speaker === 'theo')).toBe(true)
    expect(new Set(test.flatMap((one) => heard(one).takes)).size).toBe(50)
  })

  it('have as many digits and pauses as is said', async () => {
    const options = { longest: 2, pauses: [0, 0.01], strings: { train: 99, validation: 1, test: 1 } } as const
    const { train } = await fsdd({ dir, ...options })
    expect(Math.max(...train.map(({ transcript }) => transcript.split(' ').length))).toBe(2)
    expect(Math.max(...train.flatMap((one) => heard(one).pauses))).toBeLessThanOrEqual(80)
  })

  it.each([
    ['a slip', { heldout: 'theo' }, 'got heldout (did you mean heldOut?)'],
    ['a stranger', { heldOut: 'anna' }, 'fsdd[heldOut]: expected george, jackson'],
    [
      'pauses in the wrong order',
      { pauses: [0.3, 0.1] },
      'fsdd[pauses]: expected two numbers of seconds, the least first, got',
    ],
    ['no strings', { strings: { test: 0 } }, 'fsdd[strings][test]: expected a whole number from 1 to 1000000, got 0'],
    [
      'another part',
      { strings: { valid: 3 } },
      'fsdd[strings]: expected the options train, validation, test, got valid',
    ],
    ['no digits', { longest: 0 }, 'fsdd[longest]: expected a whole number from 1 to 100, got 0'],
  ])('refuse %s', async (_, options, message) => {
    await expect(fsdd({ dir, ...(options as object) })).rejects.toThrow(message)
  })

  it('need all recordings', async () => {
    const from = join(folder, 'fewer.tar')
    const others = entries.filter(([name]) => name !== 'recordings/3_lucas_7.wav')
    await writeFile(from, tarOf(...others.map(([name, bytes]) => tarEntry(name, bytes))))
    await expect(getFsdd({ dir: join(folder, 'none'), from })).rejects.toThrow(
      /fewer\.tar: expected 3000 recordings of six speakers .*, got 2999, and no 3_lucas_7/,
    )
    await expect(fsdd({ dir: join(folder, 'none') })).rejects.toThrow(/Run: ostrich data get fsdd --from/)
  })

  const real = sharedData('fsdd', 'recordings.tar.gz')
  it.skipIf(real === undefined)('of the real recordings', { timeout: 120_000 }, async () => {
    const own = join(folder, 'real')
    await getFsdd({ dir: own, from: real! })
    const { train, test } = await fsdd({ dir: own })
    expect([train.length, test.length]).toEqual([6000, 1000])
    const seconds = test.map(({ sound }) => sound.samples.length / sound.rate)
    expect(Math.max(...seconds)).toBeLessThan(10)
    // A digit takes 0.43 s, and a pause 0.175: a string of four is about 2.6 s.
    expect(seconds.reduce((sum, one) => sum + one) / seconds.length).toBeCloseTo(2.6, 0)
  })
})
