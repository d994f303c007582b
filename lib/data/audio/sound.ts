// What a sound is: the samples of one channel, and how many of them a second has. What readers give ends here, so that no network is fed what
// is empty, not a number, or of no rate.
import { is } from '../../base/index.js'
import { DataError } from '../errors.js'

/** Samples of one channel, full scale from -1 to 1. */
export interface Sound {
  readonly samples: Float32Array
  /** Samples a second, Hz. */
  readonly rate: number
}

/** Highest rate that is taken, Hz. */
const MOST_RATE = 1_000_000

/** What a rate may be, Hz. */
export const aRate = is.whole(1, MOST_RATE)

/** Seconds of a sound. */
export function secondsOf({ samples, rate }: Sound): number {
  return samples.length / rate
}

/** Whether a header names a rate. @throws DataError */
export function expectRate(name: string, rate: number): void {
  if (aRate.accepts(rate)) return
  throw new DataError(`${name}: expected a rate from 1 to ${MOST_RATE} Hz, got ${rate}`)
}

/**
 * Refuses what nobody can hear: no samples, and samples that are no finite numbers.
 * @param name what to call the sound in errors
 * @throws DataError
 */
export function expectSound(name: string, sound: Sound): void {
  const given: unknown = sound
  const { samples, rate } = is.object.accepts(given) ? (given as Partial<Sound>) : {}
  if (!(samples instanceof Float32Array)) {
    throw new DataError(`${name}: expected a sound, { samples: Float32Array, rate }, got ${is.shown(given)}`)
  }
  expectRate(name, Number(rate))
  if (samples.length === 0) throw new DataError(`${name}: expected samples, got none`)
  for (let i = 0; i < samples.length; i++) {
    if (!Number.isFinite(samples[i])) {
      throw new DataError(`${name}: expected finite samples, got ${String(samples[i])} at sample ${i}`)
    }
  }
}
