// Random windows, mirror images and colours of the training images (Krizhevsky, Sutskever & Hinton 2012, section 4.1), and the
// fixed windows of the others. What an example looks like depends on (seed, epoch, its index) alone, so a resumed run, or one
// with other workers, sees the same.
import { expectOptions, is } from '../../base/index.js'
import { type Dataset, describe, elementsOf, type EpochKey, type Fields } from '../dataset.js'
import { wholeNumber } from '../batches.js'
import { DataError } from '../errors.js'
import { philox4x32 } from '../philox.js'
import { type Border, cutWindow, shiftPlanes, type Window } from './crop.js'
import type { Colours } from './statistics.js'

/** How the training images are varied. */
export interface AugmentOptions {
  /** Side of the window that is cut out, at a random place. Default: the image's own side. */
  readonly crop?: number
  /** Pixels around the image before it is cut. Default 0. */
  readonly pad?: number
  /** What they are: black, or the image itself as in a mirror that stands on its edge. Default: black. */
  readonly border?: Border
  /** Mirror every other image, drawn at random. Default false. */
  readonly mirror?: boolean
  /** Standard deviation of the shift along each principal component of colour, in units of its own. Default 0. */
  readonly colour?: number
}

/** Tag of the stream ('view'): it shares no random word with another use of the same seed. */
const DOMAIN = 0x76696577
/** Images that are read together. */
const CHUNK = 8

/** A set of images `x` u8 [channels, height, width] with labels `target`. */
export type ImageSet = Dataset<{
  readonly x: { readonly dtype: 'u8'; readonly shape: readonly number[] }
  readonly target: { readonly dtype: 'i32'; readonly shape: readonly [] }
}>

interface Shape {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** Windows of one image, in the order in which they are put into `x`, and the shift of its planes. */
interface Cut {
  readonly windows: readonly Window[]
  readonly shifts?: readonly number[] | undefined
}

/** @throws DataError where an option cannot be of these images */
export function checkAugment(options: AugmentOptions, { height, width }: Shape): void {
  const one = is.anything
  expectOptions('augment', options, {
    crop: one,
    pad: one,
    border: is.oneOf('black', 'mirrored'),
    mirror: one,
    colour: one,
  })
  const { crop, pad = 0, colour = 0, mirror } = options
  wholeNumber('augment', 'pad', pad, 0, 1024)
  if (crop !== undefined) wholeNumber('augment', 'crop', crop, 1, Math.min(height, width))
  else if (height !== width) {
    throw new DataError(`augment[crop]: expected the side of a window, as images are ${width} x ${height}, got none`)
  }
  if (!(colour >= 0 && colour <= 1))
    throw new DataError(`augment[colour]: expected a number from 0 to 1, got ${colour}`)
  if (mirror !== undefined && typeof mirror !== 'boolean')
    throw new DataError(`augment[mirror]: expected true or false, got ${String(mirror)}`)
}

/**
 * The images of a set, varied as `options` say in every epoch; without a key (measuring, hashing) their centre windows.
 *
 * @param colours principal components of colour; needed for `colour`
 * @throws DataError for an option out of range
 */
export function augmented(set: ImageSet, options: AugmentOptions, colours?: Colours): ImageSet {
  const shape = shapeOf(set)
  checkAugment(options, shape)
  const { crop = shape.height, pad = 0, border = 'black', mirror = false, colour = 0 } = options
  if (crop === shape.height && crop === shape.width && pad === 0 && !mirror && colour === 0) return set
  if (colour > 0 && colours === undefined) {
    throw new DataError('augment[colour]: expected a set whose principal components are known, got another')
  }
  const centre = { windows: [centreWindow(shape, crop)] }
  return windowed(set, [shape.channels, crop, crop], crop, (index, key) => {
    if (key === undefined) return centre
    const words = philox4x32([index, key.epoch >>> 0, 0, DOMAIN], keyOf(key.seed), new Uint32Array(4))
    const top = scaled(words[0]!, shape.height + 2 * pad - crop + 1) - pad
    const left = scaled(words[1]!, shape.width + 2 * pad - crop + 1) - pad
    const windows = [{ top, left, border, mirror: mirror && words[2]! >>> 31 === 1 }]
    return { windows, shifts: colour > 0 ? colourShifts(index, key, colour, colours!) : undefined }
  })
}

/**
 * The centre window of every image, or all ten: the corners and the centre, and the same mirrored, in `x` u8 [10, channels,
 * crop, crop], whose `views` a session averages. With `pad` the corners lie half of it outside, as far as training moves an image
 * on average.
 */
export function viewed(set: ImageSet, { crop, pad = 0, border = 'black' }: AugmentOptions, views: 1 | 10): ImageSet {
  const shape = shapeOf(set)
  const { channels, height, width } = shape
  checkAugment(crop === undefined ? {} : { crop }, shape)
  const side = crop ?? height
  const centre = centreWindow(shape, side)
  if (views === 1) {
    if (side === height && side === width) return set
    return windowed(set, [channels, side, side], side, () => ({ windows: [centre] }))
  }
  const start = -Math.floor(pad / 2)
  const [bottom, right] = [height - side - start, width - side - start]
  const places = [
    [start, start],
    [start, right],
    [bottom, start],
    [bottom, right],
    [centre.top, centre.left],
  ] as const
  const windows = [false, true].flatMap((mirror) => places.map(([top, left]) => ({ top, left, mirror, border })))
  return { ...windowed(set, [10, channels, side, side], side, () => ({ windows })), views: 10 }
}

function shapeOf({ fields }: { readonly fields: Fields<'x'> }): Shape {
  const { dtype, shape } = fields.x
  const [channels = 0, height = 0, width = 0] = shape
  if (dtype === 'u8' && shape.length === 3) return { channels, height, width }
  throw new DataError(`augment: expected images x of u8 [C, H, W], got ${dtype} [${shape.join(', ')}]`)
}

function centreWindow({ height, width }: Shape, side: number): Window {
  return { top: Math.floor((height - side) / 2), left: Math.floor((width - side) / 2), mirror: false }
}

function keyOf(seed: number): readonly [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
}

/** A 32-bit word as a whole number in [0, range). */
function scaled(word: number, range: number): number {
  return Math.floor((word / 2 ** 32) * range)
}

/** Whole levels for each plane: the components times their deviations times normal draws (Box-Muller). */
function colourShifts(index: number, key: EpochKey, amount: number, { deviations, components }: Colours): number[] {
  const words = philox4x32([index, key.epoch >>> 0, 1, DOMAIN], keyOf(key.seed), new Uint32Array(4))
  const normals = [0, 2].flatMap((i) => {
    const radius = Math.sqrt(-2 * Math.log((words[i]! + 1) / (2 ** 32 + 1)))
    const angle = (2 * Math.PI * words[i + 1]!) / 2 ** 32
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
  return [0, 1, 2].map((channel) => {
    const sum = components.reduce((total, one, i) => total + one[channel]! * deviations[i]! * normals[i]!, 0)
    return Math.max(-127, Math.min(127, Math.round(amount * sum)))
  })
}

/** A set whose `x` are windows of the images of another; a chunk is read while the one before it is cut. */
function windowed(
  set: ImageSet,
  shape: readonly number[],
  side: number,
  cutOf: (index: number, key: EpochKey | undefined) => Cut,
): ImageSet {
  const source = shapeOf(set)
  const stride = source.channels * source.height * source.width
  const each = source.channels * side * side
  /** Behind the images of a chunk: where a window is cut, mirrored and shifted before it goes into the batch. */
  const workshop = CHUNK * stride
  /** Memory of chunks that were cut, to read into again. */
  const spare: Uint8Array[] = []
  const cut = (
    images: Uint8Array,
    indices: Uint32Array,
    out: Uint8Array,
    first: number,
    key: EpochKey | undefined,
  ): void => {
    for (const [i, index] of indices.entries()) {
      const { windows, shifts } = cutOf(index, key)
      for (const [view, window] of windows.entries()) {
        cutWindow({ data: images, at: i * stride, ...source }, window, side, images, workshop)
        if (shifts !== undefined) shiftPlanes(images, workshop, side * side, shifts)
        out.set(images.subarray(workshop, workshop + each), ((first + i) * windows.length + view) * each)
      }
    }
  }
  return {
    length: set.length,
    fields: { x: { dtype: 'u8', shape }, target: set.fields.target },
    async gather(indices, out, key) {
      const { x, target } = out as Partial<typeof out>
      if (x === undefined) return set.gather(indices, out)
      checkRoom(x, indices.length * elementsOf(shape))
      const all = Uint32Array.from(indices)
      const chunkAt = async (from: number): Promise<Uint8Array> => {
        const chunk = all.subarray(from, from + CHUNK)
        const images = spare.pop() ?? new Uint8Array(workshop + each)
        const labels = target?.subarray(from, from + CHUNK)
        await set.gather(chunk, (labels ? { x: images, target: labels } : { x: images }) as typeof out)
        return images
      }
      let next = chunkAt(0)
      for (let from = 0; from < all.length; from += CHUNK) {
        const images = await next
        if (from + CHUNK < all.length) {
          next = chunkAt(from + CHUNK)
          next.catch(() => undefined)
        }
        cut(images, all.subarray(from, from + CHUNK), x, from, key)
        spare.push(images)
      }
    },
  }
}

/** @throws DataError where an array has no room for so many bytes */
export function checkRoom(x: unknown, elements: number): asserts x is Uint8Array {
  if (x instanceof Uint8Array && x.length >= elements) return
  throw new DataError(`gather[x]: expected a Uint8Array of length ${elements} or more, got ${describe(x)}`)
}
