// Resampling: tones stay what they are, what would come back as another tone is gone, and any rate is a sum that can be written down.
import { describe, expect, it } from 'vitest'
import { resample } from '../../../lib/data/index.js'
import { noise, tone } from '../../support/sounds.js'

/** The largest difference of two sounds, but for their ends. */
function worst(a: Float32Array, b: Float32Array, end: number): number {
  let most = 0
  for (let i = end; i < Math.min(a.length, b.length) - end; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

/** The largest sample, but for the ends. */
const loudest = (samples: Float32Array, end: number): number => worst(samples, new Float32Array(samples.length), end)

const pairs: readonly (readonly [from: number, to: number])[] = [
  [44_100, 16_000],
  [16_000, 44_100],
  [48_000, 16_000],
  [8000, 16_000],
  [16_000, 8000],
  [11_025, 8000],
  [22_050, 16_000],
  [12_345, 8001],
]

describe('resample', () => {
  it.each(pairs)('keeps tones of less than nine tenths of half the lower rate: %d to %d Hz', (from, to) => {
    const half = Math.min(from, to) / 2
    for (const hertz of [0.01 * half, 0.4 * half, 0.89 * half]) {
      const { samples, rate } = resample({ samples: tone(hertz, from, from / 2), rate: from }, to)
      expect([rate, samples.length]).toEqual([to, Math.ceil((Math.floor(from / 2) * to) / from)])
      // 100 dB down is 1e-5 of a half, and so is the ripple of what passes.
      expect(worst(samples, tone(hertz, to, samples.length), Math.ceil((0.02 * to * 8000) / half))).toBeLessThan(2e-5)
    }
  })

  it.each(pairs.filter(([from, to]) => to < from))(
    'leaves nothing of tones above half the lower rate: %d to %d Hz',
    (from, to) => {
      for (const hertz of [1.01 * (to / 2), 0.5 * (to / 2 + from / 2), 0.49 * from].filter((one) => one > to / 2)) {
        const { samples } = resample({ samples: tone(hertz, from, from / 2, 1), rate: from }, to)
        expect(loudest(samples, Math.ceil(0.03 * to))).toBeLessThan(2e-5)
      }
    },
  )

  it('makes no other tones where the rate rises', () => {
    // What is left when the tone is taken away.
    const { samples } = resample({ samples: tone(3000, 8000, 4000, 1), rate: 8000 }, 48_000)
    expect(worst(samples, tone(3000, 48_000, samples.length, 1), 960)).toBeLessThan(4e-5)
  })

  it('is the sum over the samples around each place, of a sinc under Kaiser’s window', () => {
    const source = Float32Array.from(noise(400, 16, 5), (value) => value / 0x8000)
    const { samples } = resample({ samples: source, rate: 3 }, 2)
    // Half the lower rate is 1/3 of a cycle for each sample of the source; the filter falls from 0.3 to it.
    const [cutoff, width, beta] = [(0.9 + 1) / 6, 0.1 / 3, 0.1102 * 91.3]
    const reach = 92.05 / 14.36 / width / 2
    const bessel = (x: number): number => {
      // The mean of exp(x cos a) over a circle, which is I0.
      const steps = 4000
      return (
        Array.from({ length: steps }, (_, i) => Math.exp(x * Math.cos((2 * Math.PI * i) / steps))).reduce(
          (a, b) => a + b,
        ) / steps
      )
    }
    for (const i of [0, 1, 130, 131, 266]) {
      const place = 1.5 * i
      const around = Array.from({ length: 2000 }, (_, k) => k - 800).filter((k) => Math.abs(k - place) < reach)
      const weights = around.map((k) => {
        const x = 2 * cutoff * Math.PI * (k - place)
        return (x === 0 ? 1 : Math.sin(x) / x) * bessel(beta * Math.sqrt(1 - ((k - place) / reach) ** 2))
      })
      const all = weights.reduce((a, b) => a + b)
      const expected = around.reduce((sum, k, at) => sum + ((source[k] ?? 0) * weights[at]!) / all, 0)
      expect(samples[i]).toBeCloseTo(expected, 6)
    }
  })

  it('keeps a constant, and the time of what happens', () => {
    const flat = resample({ samples: new Float32Array(2000).fill(0.25), rate: 44_100 }, 16_000).samples
    expect(worst(flat, new Float32Array(flat.length).fill(0.25), 200)).toBeLessThan(1e-7)
    const click = new Float32Array(4410)
    click[2205] = 1
    const { samples } = resample({ samples: click, rate: 44_100 }, 16_000)
    expect(samples.indexOf(Math.max(...samples))).toBe(800)
  })

  it.each([
    [14_400, 16_000, 1],
    [14_400, 16_000, 400],
    [17_600, 16_000, 2001],
    [8000, 16_000, 700],
    [44_100, 16_000, 3000],
  ])('gives the same bits behind silence: %d to %d Hz, %d samples', (from, to, count) => {
    const samples = Float32Array.from(noise(count, 16, 7), (value) => value / 0x8000)
    const alone = resample({ samples, rate: from }, to).samples
    // Silence of a tenth of a second, which is a whole number of samples at both rates.
    const late = new Float32Array(from / 10 + count)
    late.set(samples, from / 10)
    const behind = resample({ samples: late, rate: from }, to).samples
    expect(behind.subarray(to / 10)).toEqual(alone)
  })

  it('is the same whether weights are kept or made anew', () => {
    // 99,991 is prime: too many places between two samples to keep the weights of all.
    const source = tone(440, 100_000, 3000)
    const { samples } = resample({ samples: source, rate: 100_000 }, 99_991)
    expect(worst(samples, tone(440, 99_991, samples.length), 150)).toBeLessThan(2e-5)
  })

  it('takes a sound as it is where it has the rate, and one of a single sample', () => {
    const sound = { samples: tone(440, 8000, 100), rate: 8000 }
    expect(resample(sound, 8000)).toBe(sound)
    expect(resample({ samples: Float32Array.of(0.5), rate: 8000 }, 16_000).samples.length).toBe(2)
    expect(resample({ samples: Float32Array.of(0.5), rate: 16_000 }, 8000).samples.length).toBe(1)
  })

  it.each([
    [
      'no rate',
      { samples: new Float32Array(8), rate: 8000 },
      0,
      'resample[rate]: expected a whole number from 1 to 1000000, got 0',
    ],
    ['a fraction', { samples: new Float32Array(8), rate: 8000 }, 0.5, 'resample[rate]: expected a whole number'],
    ['no samples', { samples: new Float32Array(0), rate: 8000 }, 16_000, 'resample: expected samples, got none'],
    ['no numbers', { samples: Float32Array.of(NaN), rate: 8000 }, 16_000, 'got NaN at sample 0'],
    [
      'too many',
      { samples: new Float32Array(1000), rate: 1 },
      1_000_000,
      'at most 268435456 samples at 1000000 Hz, got 1000000000',
    ],
  ])('refuses %s', (_, sound, rate, message) => {
    expect(() => resample(sound, rate)).toThrow(message)
  })
})
