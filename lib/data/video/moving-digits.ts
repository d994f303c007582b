// Moving MNIST: digits that move over black frames and bounce off their edges, the lighter where they overlap. Every digit of a set comes
// once before any comes again. A sequence depends on (seed, epoch, index) alone; those of tests are always the same.
import { checkIndices } from '../arrays.js'
import { shuffled } from '../batches.js'
import type { EpochKey, FieldArray } from '../dataset.js'
import { GLYPH, type Glyphs } from '../glyphs.js'
import { PhiloxStream } from '../philox.js'
import { expectRoom, rowsOf } from '../rows.js'
import { frameFields, type FrameSequences, partsOf } from './sequences.js'
import { drawPath, FRAME } from './trajectory.js'

/** What the sequences of one version are is never changed. */
export const MOVING_VERSION = 1
/** Tags of the streams that paths ('path') and the order of digits ('glyp') are drawn from. */
const [PATH_DOMAIN, ORDER_DOMAIN] = [0x70617468, 0x676c7970]
const PIXELS = FRAME * FRAME

/** A set of sequences: its digits, how many of them move, how many sequences and frames there are, and what they are drawn by. */
export interface MovingPart {
  readonly glyphs: Glyphs
  readonly digits: number
  readonly length: number
  readonly given: number
  readonly future: number
  readonly seed: number
  /** Whether training draws others in every epoch. */
  readonly endless: boolean
}

/** Sets by name. */
export type MovingParts = Readonly<Record<string, MovingPart>>

/** The sets that the parts describe. */
export function movingSets(parts: MovingParts): Record<string, FrameSequences> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, movingSet(part)]))
}

function movingSet(part: MovingPart): FrameSequences {
  const { glyphs, digits, length, given, future, seed, endless } = part
  const fields = frameFields(given, future, [1, FRAME, FRAME])
  const frames = given + future
  const orders = new Orders(glyphs.count)
  const path = new Uint8Array(2 * frames)
  return {
    length,
    fields,
    gather(indices, out, key) {
      checkIndices(indices, length)
      const wanted = partsOf(fields).flatMap(({ name, spec, first, count }) => {
        const to = (out as Partial<Readonly<Record<string, FieldArray>>>)[name]
        if (to === undefined) return []
        expectRoom(name, spec, to, indices.length)
        return [{ to: to as Uint8Array, first, count, rows: rowsOf(spec, to) }]
      })
      const by: EpochKey = endless && key !== undefined ? key : { seed, epoch: 0 }
      for (const [row, index] of indices.entries()) {
        const draws = new PhiloxStream(by.seed, by.epoch * 2 ** 32 + index, PATH_DOMAIN)
        for (let digit = 0; digit < digits; digit++) {
          drawPath(frames, draws, path, 0)
          const glyph = orders.at(by.seed, (by.epoch * length + index) * digits + digit)
          for (const { to, first, count, rows } of wanted) {
            for (let t = 0; t < count; t++) {
              const at = (t * rows + row) * PIXELS
              if (digit === 0) to.fill(0, at, at + PIXELS)
              const [left, top] = [path[2 * (first + t)]!, path[2 * (first + t) + 1]!]
              lay(glyphs.images, glyph * GLYPH * GLYPH, to, at + top * FRAME + left)
            }
          }
        }
      }
    },
  }
}

/** Lays a digit over a frame, the lighter of both at each pixel. */
function lay(images: Uint8Array, from: number, frame: Uint8Array, to: number): void {
  for (let y = 0; y < GLYPH; y++) {
    for (let x = 0; x < GLYPH; x++) {
      const level = images[from + y * GLYPH + x]!
      const place = to + y * FRAME + x
      if (level > frame[place]!) frame[place] = level
    }
  }
}

/** In which order digits come: pass after pass over all of them, each in another order. */
class Orders {
  readonly #count: number
  /** The passes that were used last: sequences of one epoch are spread over few. */
  readonly #kept = new Map<string, Uint32Array>()

  constructor(count: number) {
    this.#count = count
  }

  /** The digit at a place in the row of all digits of a seed. */
  at(seed: number, place: number): number {
    const pass = Math.floor(place / this.#count)
    const name = `${seed} ${pass}`
    let order = this.#kept.get(name)
    if (order === undefined) {
      order = shuffled(this.#count, new PhiloxStream(seed, pass, ORDER_DOMAIN))
      this.#kept.set(name, order)
      const [oldest] = this.#kept.keys()
      if (this.#kept.size > 4 && oldest !== undefined) this.#kept.delete(oldest)
    }
    return order[place - pass * this.#count]!
  }
}
