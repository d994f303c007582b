// Frames as an animated GIF, by sharp, an optional peer.
import { DataError, reasonOf } from '../errors.js'
import { loadSharp } from '../image/decode.js'
import type { Video } from './video.js'

/** Options of `encodeGif`. */
export interface EncodeGifOptions {
  /** Milliseconds that a frame is shown. Default 100. */
  readonly delay?: number
}

/** As `encodeGif` of the room says. */
export async function encodeGif(video: Video, { delay = 100 }: EncodeGifOptions): Promise<Uint8Array> {
  const { data, frames, channels, height, width } = video
  const pixels = height * width
  if (data.length !== frames * channels * pixels || frames < 1) {
    const expected = `[${frames}, ${channels}, ${height}, ${width}]`
    throw new DataError(`encodeGif: expected a video of ${expected}, got ${data.length} bytes`)
  }
  const sharp = await loadSharp()
  const interleaved = Buffer.alloc(frames * 3 * pixels)
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < 3; c++) {
        const from = (frame * channels + Math.min(c, channels - 1)) * pixels + i
        interleaved[3 * (frame * pixels + i) + c] = data[from]!
      }
    }
  }
  try {
    return await sharp(interleaved, {
      raw: { width, height: frames * height, channels: 3, pageHeight: height },
    })
      .gif({ delay: new Array<number>(frames).fill(delay), loop: 0, dither: 0 })
      .toBuffer()
  } catch (error) {
    throw new DataError(`encodeGif: expected frames that can be written, got ${reasonOf(error)}`, { cause: error })
  }
}
