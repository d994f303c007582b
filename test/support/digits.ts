// Made-up digits in the files of MNIST: images whose row number 2 + 2 * digit is white.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** An IDX file of bytes. */
function idx(shape: readonly number[], value: (i: number) => number): Uint8Array {
  const length = shape.reduce((product, extent) => product * extent, 1)
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint32(0, 0x0800 + shape.length)
  shape.forEach((extent, axis) => {
    header.setUint32(4 + 4 * axis, extent)
  })
  return Buffer.concat([new Uint8Array(header.buffer), Uint8Array.from({ length }, (_, i) => value(i))])
}

/** Writes training images and 130 test images into a new folder. */
export async function makeDigits(to: string, images = 384): Promise<void> {
  await mkdir(to)
  for (const [half, count] of [
    ['train', images],
    ['t10k', 130],
  ] as const) {
    const digit = (image: number) => image % 10
    const pixel = (i: number) => (Math.floor(i / 28) % 28 === 2 + 2 * digit(Math.floor(i / 784)) ? 255 : i % 64)
    await writeFile(join(to, `${half}-images-idx3-ubyte`), idx([count, 28, 28], pixel))
    await writeFile(join(to, `${half}-labels-idx1-ubyte`), idx([count], digit))
  }
}
