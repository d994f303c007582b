// Spoken lines at several speeds: which one a line has in an epoch, and that its samples are those of another rate.
import { describe, expect, it } from 'vitest'
import { SpeedVersions } from '../../../lib/data/audio/speeds.js'
import { Alphabet, batches, resample, speechSet, speechSets, type Utterance } from '../../../lib/data/index.js'

const RATE = 1000
const alphabet = Alphabet.of(['a b'], 'word')
const lines = Array.from({ length: 40 }, (_, i): Utterance => {
  const samples = Float32Array.from({ length: 300 + 17 * i }, (_, t) => Math.sin(0.2 * t + i))
  return { name: `line ${i}`, transcript: 'a b'.slice(0, 1 + 2 * (i % 2)), sound: { samples, rate: RATE } }
})
const speeds = [0.8, 1, 1.25]
const set = speechSet(lines, { alphabet, speeds })
const all = Uint32Array.from(lines, (_, i) => i)

/** The lengths of all lines in an epoch. */
function lengthsAt(key?: { readonly seed: number; readonly epoch: number }): Int32Array {
  const sampleLengths = new Int32Array(lines.length)
  void set.gather(all, { sampleLengths } as never, key)
  return sampleLengths
}

describe('speeds', () => {
  it('are drawn for each line and epoch, by seed, and are none where nothing is trained', () => {
    expect([...lengthsAt()]).toEqual(lines.map(({ sound }) => sound.samples.length))
    const first = lengthsAt({ seed: 1, epoch: 0 })
    const possible = (count: number): number[] => speeds.map((speed) => Math.ceil(count / speed))
    for (const [i, length] of first.entries()) expect(possible(300 + 17 * i)).toContain(length)
    const drawn = first.map((length, i) => possible(300 + 17 * i).indexOf(length))
    for (const speed of [0, 1, 2]) expect(drawn.filter((one) => one === speed).length).toBeGreaterThan(5)
    expect([...lengthsAt({ seed: 1, epoch: 0 })]).toEqual([...first])
    expect([...lengthsAt({ seed: 1, epoch: 1 })]).not.toEqual([...first])
    expect([...lengthsAt({ seed: 2, epoch: 0 })]).not.toEqual([...first])
  })

  it('give the samples of another rate, in batches that hold the slowest', async () => {
    let seen = 0
    for await (const { feeds, count, steps = 0 } of batches(set, { batch: 4, seed: 1, epoch: 0, augment: true })) {
      const { samples, sampleLengths, labelLengths } = feeds as Record<string, Float32Array>
      for (let row = 0; row < count; row++) {
        const length = sampleLengths![row]!
        expect(length).toBeLessThanOrEqual(steps)
        const own = Float32Array.from({ length }, (_, t) => samples![t * count + row]!)
        const place = lines.findIndex(({ sound }) =>
          speeds.some((speed) => {
            const other = resample({ samples: sound.samples, rate: RATE * speed }, RATE).samples
            return other.length === length && other.every((x, t) => x === own[t])
          }),
        )
        expect(place).toBeGreaterThanOrEqual(0)
        expect(labelLengths![row]).toBe(1 + (place % 2))
        seen++
      }
    }
    expect(seen).toBe(lines.length)
  })

  it('are of the training part alone', () => {
    const own = speechSets({ train: lines, test: lines }, { alphabet, speeds })
    expect(own.train.buckets!.lengths[0]).toBe(375)
    expect(own.test.buckets!.lengths[0]).toBe(300)
  })

  it('are made once for each line and speed, as far as there is room for them', () => {
    let asked = 0
    const { sound } = lines[0]!
    const line = {
      get sound() {
        asked++
        return sound
      },
    }
    const slow = resample({ samples: sound.samples, rate: 800 }, RATE).samples
    const versions = new SpeedVersions(slow.length)
    expect(versions.samplesOf(0, line, 0.8)).toEqual(slow)
    expect(versions.samplesOf(0, line, 0.8)).toEqual(slow)
    expect(asked).toBe(1)
    const fast = resample({ samples: sound.samples, rate: 1250 }, RATE).samples
    for (let i = 0; i < 2; i++) expect(versions.samplesOf(0, line, 1.25)).toEqual(fast)
    for (let i = 0; i < 2; i++) expect(versions.samplesOf(1, lines[1]!, 0.8)).toHaveLength(Math.ceil(317 / 0.8))
    expect(versions.samplesOf(0, line, 1)).toBe(sound.samples)
    expect(asked).toBe(4)
  })

  it.each([[0.4], [2.1], ['fast'], [NaN]])('refuses %j', (speed) => {
    expect(() => speechSet(lines, { alphabet, speeds: [speed] as never })).toThrow('speechSet[speeds]: expected speeds')
  })
})
