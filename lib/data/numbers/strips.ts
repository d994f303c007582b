// House numbers composed of MNIST's digits: strip i of a set has 1 + i mod 5 digits, so all lengths are equally often. What it looks like
// depends on (seed, epoch, i) alone; strips of tests are always the same.
import { checkIndices } from '../arrays.js'
import { wholeNumber } from '../batches.js'
import type { EpochKey } from '../dataset.js'
import { GatherPool } from '../gather-pool.js'
import { type Glyphs, glyphsOf } from '../glyphs.js'
import { PhiloxStream } from '../philox.js'
import { expectRoom } from '../rows.js'
import { mnist } from '../sources/mnist.js'
import { MOST_DIGITS, numberFields, type NumberRows, type NumberSet, putNumber } from './number.js'
import { drawStrip, STRIP, STRIP_DOMAIN } from './strip-layout.js'
import { Painter, STRIP_BYTES } from './strip-paint.js'

/** What the strips of one version look like is never changed. */
export const STRIPS_VERSION = 1

/** A set of strips: its digits, how many strips there are, and what they are drawn by. */
export interface StripPart {
  readonly glyphs: Glyphs
  readonly length: number
  readonly seed: number
  /** Whether training draws others in every epoch. */
  readonly endless: boolean
}

/** Sets by name. */
export type StripParts = Readonly<Record<string, StripPart>>

/** The sets that the parts describe. */
export function stripSets(parts: StripParts): Record<string, NumberSet> {
  const painter = new Painter()
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, stripSet(part, painter)]))
}

function stripSet({ glyphs, length, seed, endless }: StripPart, painter: Painter): NumberSet {
  const fields = numberFields(STRIP)
  return {
    length,
    fields,
    gather(indices, out, key) {
      checkIndices(indices, length)
      const rows: NumberRows = out
      for (const [name, spec] of Object.entries(fields)) {
        if (name in out) expectRoom(name, spec, out[name as keyof typeof out], indices.length)
      }
      const by: EpochKey = endless && key !== undefined ? key : { seed, epoch: 0 }
      for (const [row, index] of indices.entries()) {
        const draws = new PhiloxStream(by.seed, by.epoch * 2 ** 32 + index, STRIP_DOMAIN)
        const strip = drawStrip(glyphs, 1 + (index % MOST_DIGITS), draws)
        const number = strip.digits.map(({ glyph }) => glyphs.labels[glyph]!)
        putNumber(number, rows, row)
        if (rows.x !== undefined) painter.paint(strip, glyphs, rows.x as Uint8Array, row * STRIP_BYTES)
      }
    },
  }
}

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
