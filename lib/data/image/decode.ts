// JPEG, PNG and whatever else sharp reads -> u8 RGB planes. sharp is an optional peer: it is loaded when the first image is
// decoded, so that everything which needs no decoder works without it.
import type Sharp from 'sharp'
import { DataError, reasonOf } from '../errors.js'

/** Seconds that one image may take; a damaged file must not hold up a run. */
const SECONDS = 30

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

/** A decoded image: `data` holds the red, the green and the blue plane, u8 [3, height, width]. */
export interface Planes {
  readonly data: Uint8Array
  readonly height: number
  readonly width: number
}

/**
 * Decodes an image at its own size, turned as its EXIF data says, to RGB.
 *
 * @param name what to call the image in errors
 * @throws DataError for what is no image, is damaged or cut short; where sharp is absent
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Planes> {
  const sharp = await loadSharp()
  try {
    const image = sharp(bytes, { failOn: 'warning' }).timeout({ seconds: SECONDS })
    const { data, info } = await image
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { data: planesOf(data, info.channels), height: info.height, width: info.width }
  } catch (error) {
    throw new DataError(`${name}: expected a whole image, got ${reasonOf(error)}`, { cause: error })
  }
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
