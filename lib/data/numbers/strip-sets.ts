// Sets of composed numbers: strip i of a set has 1 + i mod 5 digits, so all lengths are equally often. What it looks like depends on (seed,
// epoch, i) alone; strips of tests are always the same.
import { checkIndices } from '../arrays.js'
import type { EpochKey } from '../dataset.js'
import type { Glyphs } from '../glyphs.js'
import { PhiloxStream } from '../philox.js'
import { MOST_DIGITS, numberFields, numberRows, type NumberSet, putNumber } from './number.js'
import { drawStrip, STRIP, STRIP_DOMAIN } from './strip-layout.js'
import { Painter, STRIP_BYTES } from './strip-paint.js'

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
      const rows = numberRows(fields, out, indices.length)
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
