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
/** Weights that are kept at most, of all filters; those of a filter that has more are made for each sound. */
const MOST_WEIGHTS = 2 ** 22

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
  const filter = filterOf(up, down)
  const { taps, rows } = filter
  const samples = new Float32Array(count)
  for (let at = 0; at < Math.min(up, count); at++) {
    const phase = (at * down) % up
    const weights = rows?.[phase] ?? weightsOf(filter, phase / up)
    if (rows !== undefined) rows[phase] = weights
    // From the first sample that a weight is of to the place that is asked for.
    const first = (at * down - phase) / up - (taps / 2 - 1)
    putSums(weights, source, samples, { at, first, up, down })
  }
  return samples
}

interface Places {
  /** Of a sample of the result. */
  readonly at: number
  /** Of the first sample of the source that it is made of; below 0 where that is silence. */
  readonly first: number
  /** From here to the next one with the same weights, samples of the result and of the source. */
  readonly up: number
  readonly down: number
}

/** Puts all samples of the result that have these weights: every `up`-th. */
function putSums(weights: Float64Array, source: Float32Array, samples: Float32Array, places: Places): void {
  const taps = weights.length
  const { up, down } = places
  let { at, first } = places
  while (at < samples.length) {
    if (first < 0 || first + 3 * down + taps > source.length || at + 3 * up >= samples.length) {
      const to = Math.min(taps, source.length - first)
      let sum = 0
      for (let k = Math.max(0, -first); k < to; k++) sum += weights[k]! * source[first + k]!
      samples[at] = sum
      at += up
      first += down
      continue
    }
    // Four at once: each sum by itself would wait at every addition for the one before.
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let k = 0, from = first; k < taps; k++, from++) {
      const weight = weights[k]!
      a += weight * source[from]!
      b += weight * source[from + down]!
      c += weight * source[from + 2 * down]!
      d += weight * source[from + 3 * down]!
    }
    samples[at] = a
    samples[at + up] = b
    samples[at + 2 * up] = c
    samples[at + 3 * up] = d
    at += 4 * up
    first += 4 * down
  }
}

interface Filter {
  /** Of the middle of its fall, cycles for each sample of the source. */
  readonly cutoff: number
  /** Half of its length, samples of the source. */
  readonly reach: number
  /** Samples of the source that a sample of the result is made of; even. */
  readonly taps: number
  /** The weights of each place between two samples of the source that was needed; undefined where they are too many to keep. */
  readonly rows: (Float64Array | undefined)[] | undefined
}

/** Filters by their factors, and how many weights they may have together. */
const kept = new Map<string, Filter>()
let keptWeights = 0

/** The filter for `up` samples in the time of `down` of the source. */
function filterOf(up: number, down: number): Filter {
  const name = `${up}/${down}`
  const known = kept.get(name)
  if (known !== undefined) return known
  const nyquist = Math.min(1, up / down) / 2
  const reach = LENGTH / (nyquist * (1 - PASS)) / 2
  const taps = 2 * Math.ceil(reach)
  const isKept = up * taps <= MOST_WEIGHTS
  const rows = isKept ? new Array<Float64Array | undefined>(up) : undefined
  const filter = { cutoff: (nyquist * (1 + PASS)) / 2, reach, taps, rows }
  if (!isKept) return filter
  if (keptWeights + up * taps > MOST_WEIGHTS) {
    kept.clear()
    keptWeights = 0
  }
  kept.set(name, filter)
  keptWeights += up * taps
  return filter
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
