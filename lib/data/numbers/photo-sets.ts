// Sets of numbers composed of crops of photographs and of handwritten digits. What image i looks like depends on (seed, epoch, i) alone; those that
// are measured are always the same.
import { checkIndices } from '../arrays.js'
import type { EpochKey } from '../dataset.js'
import type { Glyphs } from '../glyphs.js'
import { PhiloxStream } from '../philox.js'
import type { Crops } from './crops.js'
import { numberFields, numberRows, type NumberSet, putNumber } from './number.js'
import { NUMBER_SIDE } from './packed-crops.js'
import { drawPhotoStrip, PHOTO_DOMAIN } from './photo-layout.js'
import { PHOTO_BYTES, PhotoPainter } from './photo-paint.js'
import { drawStrip } from './strip-layout.js'
import { Painter } from './strip-paint.js'

/** How many of SVHN's 33,402 training numbers have one to five digits. */
const LENGTHS = [5137, 18130, 8691, 1434, 9]
const NUMBERS = LENGTHS.reduce((sum, count) => sum + count, 0)

/** A set of images: the crops, and the handwritten digits of every other image where there are any; how many images, and what they are drawn by. */
export interface PhotoPart {
  readonly crops: Crops
  readonly glyphs?: Glyphs
  readonly length: number
  readonly seed: number
  /** Whether training draws others in every epoch. */
  readonly endless: boolean
}

/** Sets by name. */
export type PhotoParts = Readonly<Record<string, PhotoPart>>

/** The sets that the parts describe. */
export function photoSets(parts: PhotoParts): Record<string, NumberSet> {
  const painters = { photo: new PhotoPainter(), ink: new Painter() }
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, photoSet(part, painters)]))
}

interface Painters {
  readonly photo: PhotoPainter
  readonly ink: Painter
}

function photoSet({ crops, glyphs, length, seed, endless }: PhotoPart, { photo, ink }: Painters): NumberSet {
  const fields = numberFields(NUMBER_SIDE)
  return {
    length,
    fields,
    gather(indices, out, key) {
      checkIndices(indices, length)
      const rows = numberRows(fields, out, indices.length)
      const x = rows.x as Uint8Array | undefined
      const by: EpochKey = endless && key !== undefined ? key : { seed, epoch: 0 }
      for (const [row, index] of indices.entries()) {
        const draws = new PhiloxStream(by.seed, by.epoch * 2 ** 32 + index, PHOTO_DOMAIN)
        const digits = lengthOf(draws.below(NUMBERS))
        if (glyphs !== undefined && index % 2 === 1) {
          const strip = drawStrip(glyphs, digits, draws)
          const number = strip.digits.map(({ glyph }) => glyphs.labels[glyph]!)
          putNumber(number, rows, row)
          if (x !== undefined) ink.paint(strip, glyphs, x, row * PHOTO_BYTES)
        } else {
          const strip = drawPhotoStrip(crops, digits, draws)
          const number = strip.digits.map(({ crop }) => crops.labels[crop]!)
          putNumber(number, rows, row)
          if (x !== undefined) photo.paint(strip, crops, x, row * PHOTO_BYTES)
        }
      }
    },
  }
}

/** How many digits a number has, of all numbers in the order of their lengths. */
function lengthOf(place: number): number {
  let before = 0
  return LENGTHS.findIndex((count) => (before += count) > place) + 1
}
