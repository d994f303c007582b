// What a number composed of crops looks like, drawn by chance: its crops, where they stand, which part of them the image shows, and colours. An image
// shows what a network is given of a photograph: the box around all digits, enlarged by about 30 %, as a square of 64 x 64, of which 54 x 54.
//
// Only sums, products and quotients, which every machine rounds alike.
import type { PhiloxStream } from '../philox.js'
import type { Crops } from './crops.js'
import { NUMBER_SIDE } from './packed-crops.js'

/** Tag of the stream that these are drawn from ('phot'). */
export const PHOTO_DOMAIN = 0x70686f74

/** Side of the square that the enlarged box becomes, and how far from its middle the image may be. */
const [SQUARE, OFF_MIDDLE] = [64, 4]
/** Share by which the box is enlarged: 0.3 in reading, other shares as boxes are drawn by hand. */
const [LEAST_MARGIN, MOST_MARGIN] = [0.2, 0.4]
/** In heights of a digit: space between two boxes, of a number and of each pair; how far a digit is off the line. */
const [LEAST_GAP, MOST_GAP, OWN_GAP, OFF_LINE] = [-0.12, 0.14, 0.05, 0.04]
/** How much higher or lower than others a digit is, and how far the line rises or falls over a height. */
const [OWN_HEIGHT, SLOPE] = [0.06, 0.2]
/** How far the image's columns and rows lean, over half of it. */
const [LEAN, TILT] = [0.12, 0.06]
/** Contrast and brightness: the factor of all levels, of each colour, and what is added. */
const [LEAST_GAIN, MOST_GAIN, TINT, BRIGHTNESS] = [0.6, 1.3, 0.12, 30]
/** One image in so many is inverted. */
const INVERTED = 4
/** Share of a pixel that goes to each neighbour: below 0 it is sharpened. */
const [LEAST_BLUR, MOST_BLUR] = [-0.1, 0.15]
/** Most standard deviation of the noise, in levels. */
const NOISE = 4
/** How much a crop's contrast may be raised to be that of the first. */
const MOST_RAISED = 2.5

/** A crop in its place: the middle of the digit's box, in heights of a digit, and the crop's pixels in a height. */
export interface PlacedCrop {
  readonly crop: number
  readonly x: number
  readonly y: number
  readonly scale: number
  /** Levels: `matrix` [3, 3] times what the crop has, plus `offset` [3]. */
  readonly matrix: readonly number[]
  readonly offset: readonly number[]
}

/** All that decides the pixels of an image. */
export interface PhotoStrip {
  readonly digits: readonly PlacedCrop[]
  /** Where the pixel of column c and row r is, in heights of a digit: x = across[0] + across[1] c + across[2] r, y with `down` alike. */
  readonly across: readonly [number, number, number]
  readonly down: readonly [number, number, number]
  /** Levels where there is no crop. */
  readonly ground: readonly number[]
  readonly blur: number
  /** Standard deviation of the noise, in levels, and where in the table of noise it begins. */
  readonly noise: number
  readonly noiseFrom: number
}

/** Draws an image of so many digits. */
export function drawPhotoStrip(crops: Crops, length: number, draws: PhiloxStream): PhotoStrip {
  const between = (low: number, high: number): number => low + (high - low) * (draws.next() / 2 ** 32)
  const chosen = drawCrops(crops, length, draws)
  const gap = between(LEAST_GAP, MOST_GAP)
  // Of two draws: steep lines are rare.
  const slope = between(-SLOPE / 2, SLOPE / 2) + between(-SLOPE / 2, SLOPE / 2)
  let end = 0
  const boxes = chosen.map((crop) => {
    const [width, height] = [crops.boxes[4 * crop + 2]!, crops.boxes[4 * crop + 3]!]
    const high = between(1 - OWN_HEIGHT, 1 + OWN_HEIGHT)
    const wide = (width / height) * high
    const left = end + gap + between(-OWN_GAP, OWN_GAP)
    end = left + wide
    const x = left + wide / 2
    return { crop, x, y: slope * x + between(-OFF_LINE, OFF_LINE), wide, high, scale: height / high }
  })
  const around = {
    left: Math.min(...boxes.map(({ x, wide }) => x - wide / 2)),
    right: Math.max(...boxes.map(({ x, wide }) => x + wide / 2)),
    top: Math.min(...boxes.map(({ y, high }) => y - high / 2)),
    bottom: Math.max(...boxes.map(({ y, high }) => y + high / 2)),
  }
  const lean = between(-LEAN, LEAN)
  const tilt = between(-TILT, TILT)
  const axis = (low: number, high: number): readonly [from: number, each: number] => {
    const margin = between(LEAST_MARGIN, MOST_MARGIN)
    const each = ((high - low) * (1 + margin)) / SQUARE
    const middle = (NUMBER_SIDE - 1) / 2 + between(-OFF_MIDDLE, OFF_MIDDLE)
    return [(low + high) / 2 - middle * each, each]
  }
  const [x, dx] = axis(around.left, around.right)
  const [y, dy] = axis(around.top, around.bottom)
  const half = (NUMBER_SIDE - 1) / 2
  const style = drawStyle(crops, chosen[0]!, draws, between)
  return {
    digits: boxes.map(({ crop, x, y, scale }) => ({ crop, x, y, scale, ...style.of(crop) })),
    across: [x - half * lean * dx, dx, lean * dx],
    down: [y - half * tilt * dy, tilt * dy, dy],
    ground: style.ground,
    blur: between(LEAST_BLUR, MOST_BLUR),
    noise: between(0, NOISE),
    noiseFrom: draws.next(),
  }
}

/** Any crops; or, in every other image, those of one photograph, as far as it has several, none beside itself: of one font, and as sharp as each other. */
function drawCrops({ count, photos }: Crops, length: number, draws: PhiloxStream): number[] {
  const chosen = [draws.below(count)]
  const [from, size] = [photos[2 * chosen[0]!]!, photos[2 * chosen[0]! + 1]!]
  const alike = draws.below(2) === 0 && size > 1
  while (chosen.length < length) {
    const before = chosen.at(-1)! - from
    chosen.push(alike ? from + ((before + 1 + draws.below(size - 1)) % size) : draws.below(count))
  }
  return chosen
}

type Between = (low: number, high: number) => number

/** Gives all crops the colours of the first, so that they look like digits of one photograph; then other contrast, brightness and tint to all. */
function drawStyle(crops: Crops, first: number, draws: PhiloxStream, between: Between) {
  const inverted = draws.below(INVERTED) === 0
  const gain = between(LEAST_GAIN, MOST_GAIN)
  const gains = [0, 1, 2].map(() => gain * between(1 - TINT, 1 + TINT) * (inverted ? -1 : 1))
  const more = between(-BRIGHTNESS, BRIGHTNESS)
  const ground = coloursAt(crops, first, 0)
  const ink = coloursAt(crops, first, 3)
  // Contrast is changed around the middle of the two colours, which stays within what can be seen.
  const middle = ground.map((level, channel) => (level + ink[channel]!) / 2)
  const turned = middle.map((level) => (inverted ? 255 - level : level) + more)
  const adjusted = (level: number, channel: number): number =>
    turned[channel]! + gains[channel]! * (level - middle[channel]!)
  const of = (crop: number): Pick<PlacedCrop, 'matrix' | 'offset'> => {
    const [ownGround, ownInk] = [coloursAt(crops, crop, 0), coloursAt(crops, crop, 3)]
    const own = ownInk.map((level, channel) => level - ownGround[channel]!)
    const wanted = ink.map((level, channel) => level - ground[channel]!)
    const size = Math.max(1, dot(own, own))
    const ratio = Math.sqrt(dot(wanted, wanted) / size)
    const limit = Math.min(1, MOST_RAISED / Math.max(ratio, 1e-6))
    const raised = ratio * limit
    // What lies along its own contrast comes to lie along the first one's; the rest is scaled.
    const matrix = [0, 1, 2].flatMap((to) =>
      [0, 1, 2].map((from) => {
        const along = ((wanted[to]! * limit - raised * own[to]!) * own[from]!) / size
        return gains[to]! * (along + (to === from ? raised : 0))
      }),
    )
    const offset = [0, 1, 2].map((to) => adjusted(ground[to]!, to) - dot(matrix.slice(3 * to, 3 * to + 3), ownGround))
    return { matrix, offset }
  }
  return { of, ground: ground.map(adjusted) }
}

/** Three levels of a crop's colours, from `at` on. */
function coloursAt({ colours }: Crops, crop: number, at: number): number[] {
  return [...colours.subarray(6 * crop + at, 6 * crop + at + 3)]
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
