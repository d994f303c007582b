// Lines at other speeds: samples as if they had been taken at another rate, so that pace and pitch change together.
import type { EpochKey } from '../dataset.js'
import { PhiloxStream } from '../philox.js'
import { resample } from './resample.js'
import type { Sound } from './sound.js'

/** Tag of the streams that draw speeds. */
const DOMAIN = 0x73706565
/** Epochs that have streams of their own: those of lines stand behind each other, so many apart. */
const EPOCHS = 2 ** 20

/** The rate at which samples would have been taken of what is said so fast, Hz. */
const rateAt = (rate: number, speed: number): number => Math.round(rate * speed)

/** The speed of a line in an epoch; 1 where none is drawn. */
export function speedOf(speeds: readonly number[], index: number, key: EpochKey | undefined): number {
  if (key === undefined || speeds.length === 0) return 1
  const stream = new PhiloxStream(key.seed, index * EPOCHS + (key.epoch % EPOCHS), DOMAIN)
  return speeds[stream.below(speeds.length)]!
}

/** How many samples so many become at a speed. */
export function countAt(samples: number, rate: number, speed: number): number {
  return speed === 1 ? samples : Math.ceil((samples * rate) / rateAt(rate, speed))
}

/** The samples of a sound at a speed, at the sound's own rate. */
export function atSpeed({ samples, rate }: Sound, speed: number): Float32Array {
  return speed === 1 ? samples : resample({ samples, rate: rateAt(rate, speed) }, rate).samples
}
