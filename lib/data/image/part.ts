// Parts of images: boxes in their pixels.
import { DataError } from '../errors.js'

/** A box in an image, in its pixels. */
export interface Part {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** The smallest box around others. */
export function boxAround(boxes: readonly Part[]): Part {
  const left = Math.min(...boxes.map((box) => box.left))
  const top = Math.min(...boxes.map((box) => box.top))
  const right = Math.max(...boxes.map((box) => box.left + box.width))
  const bottom = Math.max(...boxes.map((box) => box.top + box.height))
  return { left, top, width: right - left, height: bottom - top }
}

/**
 * A box that is larger by a share of its width and height, half of it on either side, in whole pixels of an image; what lies outside of the
 * image is cut off.
 * @throws DataError where nothing of the box lies in the image
 */
export function enlarged(
  { left, top, width, height }: Part,
  share: number,
  imageWidth: number,
  imageHeight: number,
): Part {
  if (left >= imageWidth || top >= imageHeight || left + width <= 0 || top + height <= 0) {
    const got = `left ${left}, top ${top}, width ${width}, height ${height}`
    throw new DataError(`expected a box in the image of ${imageWidth} x ${imageHeight}, got ${got}`)
  }
  const [first, above] = [left - (share * width) / 2, top - (share * height) / 2]
  const [x, y] = [Math.max(0, Math.floor(first)), Math.max(0, Math.floor(above))]
  const right = Math.min(imageWidth, Math.ceil(first + (1 + share) * width))
  const bottom = Math.min(imageHeight, Math.ceil(above + (1 + share) * height))
  return { left: x, top: y, width: right - x, height: bottom - y }
}
