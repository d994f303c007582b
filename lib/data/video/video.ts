// Frames of a user's own video: a folder of images, or an image of many pages (GIF, animated WebP). sharp, an optional peer, decodes them.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError, reasonOf } from '../errors.js'
import { loadSharp, readImage } from '../image/decode.js'

/** Frames u8 [frames, channels, height, width], one after the other. */
export interface Video {
  readonly data: Uint8Array
  readonly frames: number
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
}

/** Options of `readVideo`. */
export interface VideoOptions {
  /** 1: grey; 3: red, green and blue. Default 1. */
  readonly channels?: 1 | 3
  /** What frames are scaled to, whatever their shape is: a side, or [height, width]. Default: as they are. */
  readonly size?: number | readonly [number, number]
}

const IMAGE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i
/** Bytes of the longest video that is held in memory. */
const MOST_BYTES = 2 ** 31

/** Pages of an image file, pixel after pixel. */
interface Pages {
  readonly data: Uint8Array
  readonly pages: number
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** As `readVideo` of the room says. */
export async function readVideo(path: string, options: VideoOptions): Promise<Video> {
  const { channels = 1 } = options
  const found = await stat(path).catch((error: unknown) => {
    throw new DataError(`${path}: expected a folder of frames or a GIF, got ${reasonOf(error)}`, { cause: error })
  })
  const all: Pages[] = []
  if (found.isDirectory()) {
    const names = (await readdir(path)).filter((name) => IMAGE.test(name) && !name.startsWith('.'))
    // By number where they have one, as people count.
    names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1))
    for (const name of names) {
      const page = await pagesOf(join(path, name), options, 1)
      const [first] = all
      if (first !== undefined && (first.height !== page.height || first.width !== page.width)) {
        const expected = `frames of ${first.width} x ${first.height}, as ${names[0]!}`
        throw new DataError(
          `${join(path, name)}: expected ${expected}, got ${page.width} x ${page.height} (size makes them alike)`,
        )
      }
      all.push(page)
    }
  } else all.push(await pagesOf(path, options, -1))
  const frames = all.reduce((sum, { pages }) => sum + pages, 0)
  const [first] = all
  if (first === undefined || frames < 2) throw new DataError(`${path}: expected two frames or more, got ${frames}`)
  const { height, width } = first
  const pixels = height * width
  if (frames * channels * pixels > MOST_BYTES) {
    throw new DataError(`${path}: expected at most ${MOST_BYTES} bytes, got ${frames} frames of ${width} x ${height}`)
  }
  const data = new Uint8Array(frames * channels * pixels)
  let frame = 0
  for (const image of all) {
    for (let page = 0; page < image.pages; page++, frame++) {
      const from = page * pixels * image.channels
      const to = frame * channels * pixels
      for (let i = 0; i < pixels; i++) {
        // A grey image has one channel, whatever is wanted of it.
        for (let c = 0; c < channels; c++)
          data[to + c * pixels + i] = image.data[from + i * image.channels + Math.min(c, image.channels - 1)]!
      }
    }
  }
  return { data, frames, channels, height, width }
}

async function pagesOf(path: string, { channels = 1, size }: VideoOptions, pages: 1 | -1): Promise<Pages> {
  const sharp = await loadSharp()
  const bytes = await readImage(path)
  try {
    let image = sharp(bytes, { failOn: 'warning', pages })
      .flatten()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    if (size !== undefined) {
      const [height, width] = typeof size === 'number' ? [size, size] : size
      image = image.resize(width, height, { fit: 'fill' })
    }
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const count = pages === 1 ? 1 : ((await sharp(bytes).metadata()).pages ?? 1)
    return { data, pages: count, height: info.height / count, width: info.width, channels: info.channels }
  } catch (error) {
    const reason = reasonOf(error).replace(/\s+/g, ' ').trim()
    throw new DataError(`${path}: expected a whole image, got ${reason.includes('failOn') ? 'damaged data' : reason}`, {
      cause: error,
    })
  }
}
