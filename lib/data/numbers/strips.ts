// House numbers composed of MNIST's digits, in three parts, made in this thread or in others.
import { wholeNumber } from '../batches.js'
import { GatherPool } from '../gather-pool.js'
import { glyphsOf } from '../glyphs.js'
import { mnist } from '../sources/mnist.js'
import type { NumberSet } from './number.js'
import { type StripPart, stripSets } from './strip-sets.js'

/** What the strips of one version look like is never changed. */
export const STRIPS_VERSION = 1

/** Composed house numbers in three parts. */
export interface NumberStrips {
  /** Others in every epoch, of MNIST's training digits. */
  readonly train: NumberSet
  /** Always the same, of training digits that `train` has none of; absent where none are held back. */
  readonly validation?: NumberSet
  /** 10,000, always the same, of MNIST's test digits. To be measured once, at the end. */
  readonly test: NumberSet
  /** What strips look like: results of different versions do not compare. */
  readonly version: number
  /** Ends the threads. A process may also end without. */
  close(): Promise<void>
}

/** Options of `numberStrips`. */
export interface NumberStripsOptions {
  /** The folder of MNIST. Default `$OSTRICH_DATA/mnist`, else `mnist` in the user's cache. */
  readonly dir?: string
  /** Training strips of one epoch. Default 50,000. */
  readonly train?: number
  /** Strips to measure by after each epoch; 0: none. Default 5,000. */
  readonly validation?: number
  /** Threads that compose, beside this one; 0: this thread does. Default 0. */
  readonly workers?: number
}

const TEST_STRIPS = 10_000
/** Seeds of the strips that are always the same: of tests, of validation, and of training strips outside of training. */
const [TEST_SEED, VALIDATION_SEED, PLAIN_SEED] = [3, 2, 1]

/** As `numberStrips` of the room says. */
export async function numberStrips(options: NumberStripsOptions): Promise<NumberStrips> {
  const { dir, train = 50_000, validation = 5_000, workers = 0 } = options
  wholeNumber('numberStrips', 'train', train, 1, 2 ** 31)
  wholeNumber('numberStrips', 'validation', validation, 0, 2 ** 31)
  wholeNumber('numberStrips', 'workers', workers, 0, 256)
  const digits = await mnist({ ...(dir !== undefined && { dir }), ...(validation === 0 && { validation: 0 }) })
  const parts: Record<string, StripPart> = {
    train: { glyphs: await glyphsOf(digits.train), length: train, seed: PLAIN_SEED, endless: true },
    test: { glyphs: await glyphsOf(digits.test), length: TEST_STRIPS, seed: TEST_SEED, endless: false },
  }
  if (digits.validation !== undefined && validation > 0) {
    const glyphs = await glyphsOf(digits.validation)
    parts['validation'] = { glyphs, length: validation, seed: VALIDATION_SEED, endless: false }
  }
  const sets = stripSets(parts)
  const pool = workers === 0 ? undefined : new GatherPool(workers, { kind: 'strips', parts })
  const setOf = (name: string): NumberSet => pool?.over(name, sets[name]!) ?? sets[name]!
  return {
    train: setOf('train'),
    ...(sets['validation'] && { validation: setOf('validation') }),
    test: setOf('test'),
    version: STRIPS_VERSION,
    close: async () => {
      await pool?.close()
    },
  }
}
