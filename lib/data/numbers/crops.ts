// Crops of digits of photographs, to compose numbers of: where the digit is in each, how far to either side nothing of its neighbours is seen,
// and which colours the digit and its background have.
import { GLYPH, type Glyphs, shared } from '../glyphs.js'
import { CROP_SIDE, type CropRecord, type PackedCrops } from './packed-crops.js'

const PLANE = CROP_SIDE * CROP_SIDE
/** Bytes of a crop: planes of red, green and blue. */
export const CROP_BYTES = 3 * PLANE

/** Crop i: `images` u8 [3, 32, 32] from 3,072 i on; the others at i, in as many numbers as are said. */
export interface Crops {
  readonly count: number
  readonly images: Uint8Array
  readonly labels: Uint8Array
  /** 2: the first crop of the same photograph, and how many follow each other that are of it. */
  readonly photos: Uint32Array
  /** 4: left, top, width and height of the digit's box, in the crop's pixels. */
  readonly boxes: Float32Array
  /** 2: the columns between which no other digit is seen. */
  readonly clear: Float32Array
  /** 6: mean levels of red, green and blue of the background, then of the digit. */
  readonly colours: Float32Array
}

/** How often the two means are moved to the middle of what is nearer to them. */
const ROUNDS = 8
/** Side of the mean image of a class, and of how many of its digits it is. */
const [MEAN_SIDE, MEAN_OF] = [16, 200]

/**
 * The crops at `places` of those that are packed, their images in memory that threads can share.
 * @param glyphs say what a digit looks like, and so which of its two colours is the digit's
 */
export function cropsOf({ crops, records }: PackedCrops, places: ArrayLike<number>, glyphs: Glyphs): Crops {
  const count = places.length
  const images = shared(count * CROP_BYTES)
  const labels = new Uint8Array(count)
  const photos = new Uint32Array(2 * count)
  const [boxes, clear, colours] = [4, 2, 6].map((each) => new Float32Array(each * count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const all = new Map(records.map((record) => [keyOf(record.photo, record.position), record]))
  const means = meansOf(glyphs)
  for (let i = 0; i < count; i++) {
    const place = places[i]!
    const record = records[place]!
    images.set(crops.subarray(place * CROP_BYTES, (place + 1) * CROP_BYTES), i * CROP_BYTES)
    labels[i] = record.digit
    const first = i > 0 && records[places[i - 1]!]!.photo === record.photo ? photos[2 * i - 2]! : i
    for (let one = first; one <= i; one++) photos.set([first, i + 1 - first], 2 * one)
    const box = boxIn(record)
    boxes.set(box, 4 * i)
    clear.set(clearOf(record, box, all), 2 * i)
    colours.set(coloursOf(images, i * CROP_BYTES, box, means[record.digit]), 6 * i)
  }
  return { count, images, labels, photos, boxes, clear, colours }
}

const keyOf = (photo: string, position: number): string => `${photo} ${position}`

type Box = readonly [left: number, top: number, width: number, height: number]

/** A crop is the square around the middle of the box, as wide as its longer side. */
function boxIn({ box: [, , width, height] }: CropRecord): Box {
  const scale = CROP_SIDE / Math.max(width, height)
  const [w, h] = [width * scale, height * scale]
  return [(CROP_SIDE - w) / 2, (CROP_SIDE - h) / 2, w, h]
}

/** Up to the boxes of the neighbours, as far as these are known, and not into the digit's own. */
function clearOf(record: CropRecord, [left, , width]: Box, all: ReadonlyMap<string, CropRecord>): [number, number] {
  const { photo, position, box } = record
  const scale = CROP_SIDE / Math.max(box[2], box[3])
  const columnOf = (x: number): number => (x - box[0]) * scale + left
  const [before, after] = [-1, 1].map((step) => all.get(keyOf(photo, position + step))?.box)
  const from = before === undefined ? 0 : columnOf(before[0] + before[2])
  const end = after === undefined ? CROP_SIDE : columnOf(after[0])
  return [Math.max(0, Math.min(left, from)), Math.min(CROP_SIDE, Math.max(left + width, end))]
}

/** How much ink digits of a class have at each place of their box, [16, 16], less its mean; none where there is no digit of it. */
function meansOf({ count, images, labels, boxes }: Glyphs): readonly (Float64Array | undefined)[] {
  return Array.from({ length: 10 }, (_, label) => {
    const mean = new Float64Array(MEAN_SIDE * MEAN_SIDE)
    let seen = 0
    for (let i = 0; i < count && seen < MEAN_OF; i++) {
      if (labels[i] !== label) continue
      seen++
      const [left, top, width, height] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!]
      for (let place = 0; place < mean.length; place++) {
        const column = left + placed(place % MEAN_SIDE, MEAN_SIDE, width)
        const row = top + placed(Math.floor(place / MEAN_SIDE), MEAN_SIDE, height)
        mean[place]! += images[(i * GLYPH + row) * GLYPH + column]!
      }
    }
    if (seen === 0) return undefined
    const middle = mean.reduce((sum, ink) => sum + ink, 0) / mean.length
    return mean.map((ink) => (ink - middle) / seen)
  })
}

/** Which of `count` pixels lies where the middle of place `i` of `places` does. */
const placed = (i: number, places: number, count: number): number => Math.floor(((i + 0.5) / places) * count)

/** Two mean colours within the box: of the levels that are nearer to either of two means. The digit's is the one that is where its class has ink. */
function coloursOf(images: Uint8Array, at: number, box: Box, mean: Float64Array | undefined): Float64Array {
  const [left, top, width, height] = box
  const [first, above] = [Math.round(left), Math.round(top)]
  const columns = Math.max(1, Math.round(left + width) - first)
  const rows = Math.max(1, Math.round(top + height) - above)
  const places: number[] = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) places.push(at + (above + row) * CROP_SIDE + first + column)
  }
  const greys = places.map((place) => images[place]! + images[place + PLANE]! + images[place + 2 * PLANE]!)
  const threshold = thresholdOf(greys)
  const sums = new Float64Array(6)
  let [lighter, ink] = [0, 0]
  for (const [i, place] of places.entries()) {
    const light = greys[i]! > threshold
    if (light) {
      lighter++
      const column = placed(i % columns, columns, MEAN_SIDE)
      ink += mean?.[placed(Math.floor(i / columns), rows, MEAN_SIDE) * MEAN_SIDE + column] ?? 0
    }
    for (let channel = 0; channel < 3; channel++) sums[(light ? 3 : 0) + channel]! += images[place + channel * PLANE]!
  }
  const counts = [places.length - lighter, lighter]
  // Of one level only: both colours are that.
  const means = sums.map((sum, i) => {
    const part = counts[i < 3 ? 0 : 1]!
    return part === 0 ? sums[(i + 3) % 6]! / places.length : sum / part
  })
  return ink >= 0 ? means : Float64Array.from(means, (_, i) => means[(i + 3) % 6]!)
}

/** Half way between the means of what is below it and of what is above it. */
function thresholdOf(levels: readonly number[]): number {
  let threshold = levels.reduce((sum, level) => sum + level, 0) / levels.length
  for (let round = 0; round < ROUNDS; round++) {
    const sums = [0, 0, 0, 0]
    for (const level of levels) {
      const side = level > threshold ? 2 : 0
      sums[side]! += level
      sums[side + 1]!++
    }
    if (sums[1] === 0 || sums[3] === 0) break
    threshold = (sums[0]! / sums[1]! + sums[2]! / sums[3]!) / 2
  }
  return threshold
}
