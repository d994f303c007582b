// What a composed number looks like, drawn by chance: its digits, how they lean and where they stand, colours, and pieces of other digits
// at the edges. Version 1: another change of what is drawn, or in which order, is another version, as the images are a benchmark.
//
// Only sums, products, quotients and roots, which every machine rounds alike: sines and logarithms are rounded as each engine likes.
import type { PhiloxStream } from '../philox.js'
import type { Glyphs } from '../glyphs.js'

/** Side of a strip's image. */
export const STRIP = 54
/** Tag of the stream that strips are drawn from ('stri'). */
export const STRIP_DOMAIN = 0x73747269

/** Pixels around a number that stay free. */
const MARGIN = 1
const ROOM = STRIP - 2 * MARGIN
/** Scale of an image of MNIST, whose digits are 20 pixels high. */
const [LEAST_SCALE, MOST_SCALE] = [0.6, 1.2]
/** Pixels between the ink of two digits, at scale 1: from overlap to wide gaps. */
const [LEAST_GAP, MOST_GAP] = [-2, 9]
/** tan(10 degrees): by half angles a rotation of up to 20 degrees. */
const HALF_TURN = 0.17632698070846498
/** tan(20 degrees). */
const SLANT = 0.36397023426620234
/** Pixels up or down from the line, at scale 1. */
const OFF_LINE = 1.5
/** Difference of the mean levels of digits and background. */
const [LEAST_CONTRAST, MOST_CONTRAST] = [40, 220]
/** Levels by which a colour differs from its grey. */
const TINT = 40
/** Of the contrast: how far the background and the digits may change over the image, and how much noise there is. */
const [FADE, INK_FADE, NOISE] = [0.3, 0.1, 0.15]
const MOST_NOISE = 16
/** Pieces of other digits, and how much of one is seen. */
const MOST_PIECES = 2
const [LEAST_SEEN, MOST_SEEN] = [0.15, 0.4]
/** Pixels between a piece and the number. */
const APART = 2

/** A digit in its place: which one, and where the middle of its ink is in the image. */
export interface Placed {
  readonly glyph: number
  readonly x: number
  readonly y: number
}

/** How digits are laid into the image: scale, rotation, slant, and how much narrower they are than they were. */
export interface Lean {
  readonly scale: number
  readonly cos: number
  readonly sin: number
  readonly slant: number
  readonly narrow: number
}

/** A colour that changes over the image: levels of red, green and blue in the middle, and what is added at the right and at the bottom. */
export interface Fading {
  readonly levels: readonly [number, number, number]
  readonly right: number
  readonly down: number
}

/** All that decides the pixels of a strip. */
export interface Strip {
  readonly digits: readonly Placed[]
  readonly pieces: readonly Placed[]
  readonly lean: Lean
  readonly ink: Fading
  readonly ground: Fading
  /** Standard deviation of the noise, in levels, and where in the table of noise it begins. */
  readonly noise: number
  readonly noiseFrom: number
}

/** A box around something: left, right, top and bottom from its origin. */
type Extents = readonly [left: number, right: number, top: number, bottom: number]

/** Draws a strip of so many digits. */
export function drawStrip(glyphs: Glyphs, length: number, draws: PhiloxStream): Strip {
  const between = (low: number, high: number): number => low + (high - low) * (draws.next() / 2 ** 32)
  const chosen = Array.from({ length }, () => draws.below(glyphs.count))
  const half = between(-HALF_TURN, HALF_TURN)
  const turn = { cos: (1 - half * half) / (1 + half * half), sin: (2 * half) / (1 + half * half) }
  const slant = between(-SLANT, SLANT)
  const gap = between(LEAST_GAP, MOST_GAP)
  const off = chosen.map(() => between(-OFF_LINE, OFF_LINE))
  const [bigger, across, along] = [between(0, 1), between(0, 1), between(0, 1)]
  const line = fitted(glyphs, chosen, off, gap, { scale: 1, ...turn, slant, narrow: 1 })
  const fit = fitOf(line.extents)
  const least = Math.min(LEAST_SCALE, fit)
  const lean = { ...line.lean, scale: least + (Math.min(MOST_SCALE, fit) - least) * bigger }
  const [left, right, top, bottom] = line.extents.map((extent) => extent * lean.scale) as [
    number,
    number,
    number,
    number,
  ]
  const x = MARGIN - left + across * (ROOM - (right - left))
  const y = MARGIN - top + along * (ROOM - (bottom - top))
  const digits = line.middles.map((middle, i) => {
    const [dx, dy] = laid(lean, middle, off[i]!)
    return { glyph: chosen[i]!, x: x + dx, y: y + dy }
  })
  const number: Extents = [x + left, x + right, y + top, y + bottom]
  const pieces = drawPieces(glyphs, number, lean, draws, between)
  return { digits, pieces, lean, ...drawColours(draws, between) }
}

interface Line {
  /** Where the middle of each digit stands on its line, at scale 1, from the middle of the line. */
  readonly middles: readonly number[]
  readonly extents: Extents
  readonly lean: Lean
}

/** Digits side by side so that they fit at the least scale: closer to each other, and at last narrower. */
function fitted(glyphs: Glyphs, chosen: readonly number[], off: readonly number[], gap: number, lean: Lean): Line {
  const most = ROOM / LEAST_SCALE
  const widthOf = ({ extents }: Line): number => extents[1] - extents[0]
  const wide = lined(glyphs, chosen, off, gap, lean)
  const over = widthOf(wide) - most
  if (over <= 0) return wide
  const closer = Math.max(LEAST_GAP, gap - over / (lean.cos * Math.max(1, chosen.length - 1)))
  const close = lined(glyphs, chosen, off, closer, lean)
  // What rounding leaves is no reason to be narrower.
  if (widthOf(close) <= most + 1e-6) return close
  return lined(glyphs, chosen, off, closer, { ...lean, narrow: most / widthOf(close) })
}

function lined(glyphs: Glyphs, chosen: readonly number[], off: readonly number[], gap: number, lean: Lean): Line {
  const widths = chosen.map((glyph) => glyphs.boxes[4 * glyph + 2]!)
  let at = -(widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1)) / 2
  const middles = widths.map((width) => {
    const middle = at + width / 2
    at += width + gap
    return middle
  })
  const boxes = chosen.map((glyph, i) => {
    const [x, y] = laid(lean, middles[i]!, off[i]!)
    const [left, right, top, bottom] = extentsOf(glyphs, glyph, lean)
    return [x + left, x + right, y + top, y + bottom] as const
  })
  const extents: Extents = [
    Math.min(...boxes.map(([left]) => left)),
    Math.max(...boxes.map(([, right]) => right)),
    Math.min(...boxes.map(([, , top]) => top)),
    Math.max(...boxes.map(([, , , bottom]) => bottom)),
  ]
  return { middles, extents, lean }
}

/** Where a point of the line comes to lie, from the middle of the number. */
function laid({ scale, cos, sin, slant, narrow }: Lean, x: number, y: number): readonly [number, number] {
  const along = x * narrow - slant * y
  return [scale * (cos * along - sin * y), scale * (sin * along + cos * y)]
}

/** The box around the ink of a digit as it is laid, from the middle of its ink. */
function extentsOf({ boxes }: Glyphs, glyph: number, lean: Lean): Extents {
  const [width, height] = [boxes[4 * glyph + 2]!, boxes[4 * glyph + 3]!]
  const [x1, y1] = laid(lean, width / 2, height / 2)
  const [x2, y2] = laid(lean, width / 2, -height / 2)
  const [x, y] = [Math.max(Math.abs(x1), Math.abs(x2)), Math.max(Math.abs(y1), Math.abs(y2))]
  return [-x, x, -y, y]
}

/** The scale at which a number fills the room. */
function fitOf([left, right, top, bottom]: Extents): number {
  return Math.min(ROOM / (right - left), ROOM / (bottom - top))
}

type Between = (low: number, high: number) => number

/** Parts of other digits, cut off by an edge, where there is room beside the number. */
function drawPieces(glyphs: Glyphs, number: Extents, lean: Lean, draws: PhiloxStream, between: Between): Placed[] {
  const pieces: Placed[] = []
  const count = draws.below(MOST_PIECES + 1)
  for (let i = 0; i < count; i++) {
    const [edge, glyph] = [draws.below(4), draws.below(glyphs.count)]
    const [seen, place] = [between(LEAST_SEEN, MOST_SEEN), between(0, 1)]
    const [, halfWidth, , halfHeight] = extentsOf(glyphs, glyph, lean)
    const upright = edge < 2
    const depth = 2 * (upright ? halfWidth : halfHeight) * seen
    const free = [number[0], STRIP - number[1], number[2], STRIP - number[3]][edge]!
    if (depth + APART > free) continue
    const inside = depth - (upright ? halfWidth : halfHeight)
    const across = edge % 2 === 0 ? inside : STRIP - inside
    const along = STRIP * place
    pieces.push(upright ? { glyph, x: across, y: along } : { glyph, x: along, y: across })
  }
  return pieces
}

/** Colours of digits and background, and the noise over both. */
function drawColours(draws: PhiloxStream, between: Between): Omit<Strip, 'digits' | 'pieces' | 'lean'> {
  const contrast = between(LEAST_CONTRAST, MOST_CONTRAST)
  const low = between(8, 247 - contrast)
  const light = draws.below(2) === 1
  const [ink, ground] = light ? [low + contrast, low] : [low, low + contrast]
  const fading = (level: number, most: number): Fading => {
    const tint = [between(-TINT, TINT), between(-TINT, TINT), between(-TINT, TINT)] as const
    const grey = (tint[0] + tint[1] + tint[2]) / 3
    const fade = between(0, most * contrast)
    const levels = [level + tint[0] - grey, level + tint[1] - grey, level + tint[2] - grey] as const
    return { levels, right: (fade * between(-1, 1)) / 2, down: (fade * between(-1, 1)) / 2 }
  }
  return {
    ink: fading(ink, INK_FADE),
    ground: fading(ground, FADE),
    noise: between(0, Math.min(MOST_NOISE, NOISE * contrast)),
    noiseFrom: draws.next(),
  }
}
