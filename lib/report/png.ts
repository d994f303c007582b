// Images as PNG, without a library: 8 bits, grey or red, green and blue, one compressed stream, no filter.
// PNG specification (W3C, third edition), sections 5 and 11.2.
import { crc32, deflateSync } from 'node:zlib'

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** Bytes [C, H, W] of an image, C 1 or 3. */
export interface Bytes {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
}

/**
 * An image as a PNG file.
 * @throws RangeError for data of another length
 */
export function png({ data, channels, height, width }: Bytes): Buffer {
  if (data.length !== channels * height * width) {
    throw new RangeError(`png: expected ${channels * height * width} bytes, got ${data.length}`)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8)
  const lines = Buffer.alloc(height * (1 + channels * width))
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < channels * width; i++) {
      const [column, channel] = [Math.floor(i / channels), i % channels]
      lines[row * (1 + channels * width) + 1 + i] = data[(channel * height + row) * width + column]!
    }
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** A PNG as the source of an `img` element. */
export function dataUri(image: Bytes): string {
  return `data:image/png;base64,${png(image).toString('base64')}`
}
