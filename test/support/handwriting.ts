// A small MNIST of made-up digits, in its four files: nothing has to be downloaded to compose images of digits.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const SIDE = 28

/** Ink of a made-up digit: a bar that is as wide as its label says, 20 pixels high, with a darker first row. */
export function barOf(label: number): {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
} {
  const width = 4 + label
  return { left: 14 - Math.ceil(width / 2), top: 4, width, height: 20 }
}

/** The image of a digit, its ink of one level but for the first row. */
export function bar(label: number, level: number): Uint8Array {
  const { left, top, width, height } = barOf(label)
  const image = new Uint8Array(SIDE * SIDE)
  for (let y = top; y < top + height; y++) image.fill(y === top ? 128 : level, y * SIDE + left, y * SIDE + left + width)
  return image
}

function idx(type: number, shape: readonly number[], values: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE((type << 8) | shape.length, 0)
  for (const [axis, extent] of shape.entries()) header.writeUInt32BE(extent, 4 + 4 * axis)
  return Buffer.concat([header, values])
}

/** Writes both halves: digit i has the label i % 10, and ink of a level that no digit of the other half has. */
export async function writeHandwriting(folder: string, train = 240, test = 60): Promise<void> {
  for (const [half, count, level] of [
    ['train', train, 250],
    ['t10k', test, 200],
  ] as const) {
    const images = Buffer.concat(Array.from({ length: count }, (_, i) => bar(i % 10, level)))
    await writeFile(join(folder, `${half}-images-idx3-ubyte`), idx(8, [count, SIDE, SIDE], images))
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10)
    await writeFile(join(folder, `${half}-labels-idx1-ubyte`), idx(8, [count], labels))
  }
}
