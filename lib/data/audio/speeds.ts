// Lines at other speeds: samples as if they had been taken at another rate, so that pace and pitch change together.
import type { EpochKey } from '../dataset.js'
import { PhiloxStream } from '../philox.js'
import { resample } from './resample.js'
import type { Sound } from './sound.js'

/** Tag of the streams that draw speeds. */
const DOMAIN = 0x73706565
/** Epochs that have streams of their own: those of lines stand behind each other, so many apart. */
const EPOCHS = 2 ** 20

/** Samples that are kept of lines at other speeds, at most: 512 MiB of them. */
const MOST_KEPT = 2 ** 27

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
function atSpeed({ samples, rate }: Sound, speed: number): Float32Array {
  return resample({ samples, rate: rateAt(rate, speed) }, rate).samples
}

/** Lines at their speeds: each is made once at each speed, as far as memory is allowed for them. */
export class SpeedVersions {
  readonly #made = new Map<string, Float32Array>()
  #room: number

  /** @param most samples that are kept of all lines; those beyond are made whenever they are drawn */
  constructor(most = MOST_KEPT) {
    this.#room = most
  }

  /** The samples of line `index`, at the rate of its sound, which is asked for where it is needed. */
  samplesOf(index: number, line: { readonly sound: Sound }, speed: number): Float32Array {
    if (speed === 1) return line.sound.samples
    const name = `${index} ${speed}`
    const known = this.#made.get(name)
    if (known !== undefined) return known
    const samples = atSpeed(line.sound, speed)
    if (samples.length <= this.#room) {
      this.#room -= samples.length
      this.#made.set(name, samples)
    }
    return samples
  }
}
