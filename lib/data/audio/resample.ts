// Sounds at another rate, by a windowed sinc in phases (Kaiser 1974; Crochiere & Rabiner 1983): each sample of the result is a sum of samples of the
// source, weighted by a low-pass filter between them. What lies above half of the lower rate is 100 dB down; nine tenths of what lies below is as it was.
import { expectKind } from '../../base/index.js'
import { DataError } from '../errors.js'
import { aRate, expectSound, type Sound } from './sound.js'

/** How far down what would come back as another tone is, dB: below the noise of 16 bits, 98. */
const ATTENUATION = 100
/** The filter falls from here to half of the lower rate, as a share of that. */
const PASS = 0.9
/** Shape of Kaiser's window, and its length in steps of one over the width in which the filter falls, for this attenuation. */
const BETA = 0.1102 * (ATTENUATION - 8.7)
const LENGTH = (ATTENUATION - 7.95) / 14.36
/** Samples of the longest result. */
const MOST_SAMPLES = 2 ** 28
/** Weights that are kept at most, one row for each place between two samples of the source; beyond, a row is made where it is needed. */
const MOST_WEIGHTS = 2 ** 23

/**
 * A sound at another rate: `ceil(samples * rate / sound.rate)` samples, the first at the same time, silence before and behind. A sound that has the rate
 * comes back as it is.
 * @param rate Hz
 * @throws DataError for no sound, or a result of more than 2^28 samples; OstrichError `ERR_OPTION` for what is no rate
 * @example const wide = resample(await readSound('phone.wav'), 16_000)
 */
export function resample(sound: Sound, rate: number): Sound {
  expectSound('resample', sound)
  expectKind('resample', 'rate', aRate, rate)
  if (rate === sound.rate) return sound
  const common = greatestDivisor(rate, sound.rate)
  // Sample i of the result lies at i * down / up samples of the source.
  const [up, down] = [rate / common, sound.rate / common]
  const count = Math.ceil((sound.samples.length * up) / down)
  if (count > MOST_SAMPLES) {
    throw new DataError(`resample: expected at most ${MOST_SAMPLES} samples at ${rate} Hz, got ${count}`)
  }
  return { samples: filtered(sound.samples, count, up, down), rate }
}

function filtered(source: Float32Array, count: number, up: number, down: number): Float32Array {
  const filter = filterOf(Math.min(1, up / down))
  const { taps } = filter
  const kept = up * taps <= MOST_WEIGHTS ? new Array<Float64Array | undefined>(up) : undefined
  const samples = new Float32Array(count)
  // From the first sample that a weight is of to the place that is asked for.
  const before = taps / 2 - 1
  for (let i = 0; i < count; i++) {
    const place = i * down
    const phase = place % up
    const weights = kept?.[phase] ?? weightsOf(filter, phase / up)
    if (kept !== undefined) kept[phase] = weights
    const first = (place - phase) / up - before
    const from = Math.max(0, -first)
    const to = Math.min(taps, source.length - first)
    let sum = 0
    for (let k = from; k < to; k++) sum += weights[k]! * source[first + k]!
    samples[i] = sum
  }
  return samples
}

interface Filter {
  /** Of the middle of its fall, cycles for each sample of the source. */
  readonly cutoff: number
  /** Half of its length, samples of the source. */
  readonly reach: number
  /** Samples of the source that a sample of the result is made of; even. */
  readonly taps: number
}

/** The filter for results at `ratio` of the source's rate, or at the same or a higher one: 1. */
function filterOf(ratio: number): Filter {
  const nyquist = ratio / 2
  const reach = LENGTH / (nyquist * (1 - PASS)) / 2
  return { cutoff: (nyquist * (1 + PASS)) / 2, reach, taps: 2 * Math.ceil(reach) }
}

/** Weights of the samples around a place that lies so far behind one of them, 0 to 1. Their sum is 1: a constant stays what it is. */
function weightsOf({ cutoff, reach, taps }: Filter, behind: number): Float64Array {
  const weights = Float64Array.from({ length: taps }, (_, k) => {
    const distance = k - (taps / 2 - 1) - behind
    if (Math.abs(distance) >= reach) return 0
    return sinc(2 * cutoff * distance) * bessel(BETA * Math.sqrt(1 - (distance / reach) ** 2))
  })
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** The modified Bessel function of the first kind and order 0: the sum of ((x / 2)^k / k!)^2. */
function bessel(x: number): number {
  let [sum, term] = [1, 1]
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
