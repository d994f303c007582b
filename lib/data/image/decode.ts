// Image files -> u8 RGB planes, by sharp, and pixels -> JPEG. sharp is an optional peer: it is loaded when the first image is
// decoded, so that everything which needs no decoder works without it.
import { readFile, stat } from 'node:fs/promises'
import type Sharp from 'sharp'
import { DataError, reasonOf } from '../errors.js'
import type { Part } from './part.js'

/** Seconds that one image may take; a damaged file must not hold up a run. */
const SECONDS = 30
/** Pixels of the largest image that is decoded (sharp's own default). */
const MOST_PIXELS = 0x3fff * 0x3fff
/** Bytes of the largest file that is read. */
const MOST_BYTES = 2 ** 28

let loaded: Promise<typeof Sharp> | undefined

/**
 * The package sharp.
 * @throws DataError where it is not installed or does not load, with what to run
 */
export function loadSharp(): Promise<typeof Sharp> {
  loaded ??= import('sharp').then(
    (module) => module.default,
    (error: unknown) => {
      loaded = undefined
      const got = reasonOf(error) === 'ERR_MODULE_NOT_FOUND' ? 'none' : reasonOf(error)
      throw new DataError(
        `image: expected the package sharp, which decodes images, got ${got}. Run: npm install sharp`,
        {
          cause: error,
        },
      )
    },
  )
  return loaded
}

interface Pixels {
  readonly data: Buffer
  readonly info: { readonly width: number; readonly height: number; readonly channels: 1 | 2 | 3 | 4 }
}

/** A decoded image: `data` holds the red, the green and the blue plane, u8 [3, height, width]. */
export interface Planes {
  readonly data: Uint8Array
  readonly height: number
  readonly width: number
}

/**
 * The bytes of an image file.
 * @throws DataError for what is no file, is empty or too large, or cannot be read
 */
export async function readImage(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    const found = await stat(path)
    // Reading a pipe or a device might never end.
    if (!found.isFile())
      throw new DataError(`${path}: expected a file, got ${found.isDirectory() ? 'a folder' : 'none'}`)
    if (found.size > MOST_BYTES) throw new DataError(`${path}: expected at most ${MOST_BYTES} bytes, got ${found.size}`)
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
  if (bytes.length === 0) throw new DataError(`${path}: expected an image, got an empty file`)
  return bytes
}

/**
 * Decodes an image to RGB, turned as its EXIF data says: at its own size, or, with `side`, scaled until its shorter side has
 * that many pixels and cut to the `side` x `side` in its middle (the longer side loses as much on either end). Grey and CMYK
 * become RGB, 16 bits become 8, transparency is dropped, of several frames the first is taken.
 *
 * @param name what to call the image in errors
 * @throws DataError for what is no image, is damaged, cut short or too large, or takes too long; where sharp is absent
 */
export async function decodeImage(bytes: Uint8Array, name: string, side?: number): Promise<Planes> {
  const { data, info } = await pixelsOf(bytes, name, side)
  return { data: planesOf(data, info.channels), height: info.height, width: info.width }
}

/**
 * Decodes a part of an image to RGB of `side` x `side`, whatever its shape is.
 * @param partOf which part of an image of this size
 * @throws DataError as `decodeImage` does, and what `partOf` throws, with the image's name before it
 */
export async function decodePart(
  bytes: Uint8Array,
  name: string,
  partOf: (width: number, height: number) => Part,
  side: number,
): Promise<Planes> {
  const sharp = await loadSharp()
  const { data, info } = await pixelsOf(bytes, name)
  const { width, height, channels } = info
  let part: Part
  try {
    part = partOf(width, height)
  } catch (error) {
    throw new DataError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const { left, top } = part
  const cut = await sharp(data, { raw: { width, height, channels } })
    .extract({ left, top, width: part.width, height: part.height })
    .resize(side, side, { fit: 'fill' })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data: planesOf(cut.data, cut.info.channels), height: side, width: side }
}

/** Interleaved pixels of an image, as `decodeImage` says. */
async function pixelsOf(bytes: Uint8Array, name: string, side?: number): Promise<Pixels> {
  const sharp = await loadSharp()
  if (!hasEnd(bytes)) throw new DataError(`${name}: expected a whole image, got one that was cut short`)
  try {
    // Any warning of a decoder is a reason to refuse: a file that was cut or damaged gives grey where its data ends.
    let image = sharp(bytes, { failOn: 'warning', limitInputPixels: MOST_PIXELS, sequentialRead: true })
      .timeout({ seconds: SECONDS })
      .autoOrient()
    if (side !== undefined) image = image.resize(side, side, { fit: 'cover', position: 'centre' })
    return await image.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  } catch (error) {
    const reason = reasonOf(error).replace(/\s+/g, ' ').trim()
    const got = reason.includes('failOn') ? 'damaged data' : reason
    throw new DataError(`${name}: expected a whole image, got ${got}`, { cause: error })
  }
}

/**
 * Whether a JPEG or PNG file has its end marker. A decoder sees a missing end only where it gets so far, and of a tall image
 * it reads no rows below the square that is cut out.
 */
function hasEnd(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.length >= 8 && view.readUInt32BE() === 0x89504e47)
    return view.includes('IEND', Math.max(8, view.length - 4096))
  if (view[0] !== 0xff || view[1] !== 0xd8) return true
  // From segment to segment to the start of the coded data, so that the end of an embedded thumbnail is not taken for it.
  let at = 2
  while (at + 4 <= view.length && view[at] === 0xff && view[at + 1] !== 0xda) {
    at += view[at + 1] === 0xff ? 1 : 2 + view.readUInt16BE(at + 2)
  }
  return view.indexOf('ffd9', at, 'hex') >= 0
}

/** Encodes planes of `side` x `side` as JPEG. */
export async function encodeJpeg(planes: Uint8Array, side: number, quality: number): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const count = side * side
  const pixels = new Uint8Array(3 * count)
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    pixels[at] = planes[i]!
    pixels[at + 1] = planes[count + i]!
    pixels[at + 2] = planes[2 * count + i]!
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality })
    .toBuffer()
}

/** Interleaved samples of 1 or 3 channels -> three planes. */
function planesOf(pixels: Uint8Array, channels: number): Uint8Array {
  const count = pixels.length / channels
  const planes = new Uint8Array(3 * count)
  if (channels === 1) {
    for (let plane = 0; plane < 3; plane++) planes.set(pixels, plane * count)
    return planes
  }
  for (let i = 0, at = 0; i < count; i++, at += channels) {
    planes[i] = pixels[at]!
    planes[count + i] = pixels[at + 1]!
    planes[2 * count + i] = pixels[at + 2]!
  }
  return planes
}
