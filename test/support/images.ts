// Image files for tests, made as they are needed.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** A JPEG file of a smooth picture; `seed` says which. */
export async function photo(seed: number, width = 40, height = 30): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [at, channel] = [Math.floor(i / 3), i % 3]
    const [x, y] = [at % width, Math.floor(at / width)]
    return 128 + 100 * Math.sin((seed + 1) * 0.7 + (x * (channel + 1)) / 9 + y / 7)
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer()
}

/** A tree `<root>/<part>/<class>/<number>.jpg` with so many images in each class of each part. */
export async function tree(root: string, parts: Readonly<Record<string, number>>, classes = ['ant', 'bee']) {
  for (const [part, count] of Object.entries(parts)) {
    for (const [label, name] of classes.entries()) {
      await mkdir(join(root, part, name), { recursive: true })
      for (let i = 0; i < count; i++) await writeFile(join(root, part, name, `${i}.jpg`), await photo(10 * label + i))
    }
  }
}

/** Ten files that are no whole images, put into a folder. */
export async function damaged(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const whole = await photo(3, 200, 150)
  // An end marker in the middle of the coded data. (Other bits there may change unseen: the format has no checksum.)
  const spoilt = Buffer.from(whole)
  spoilt.writeUInt16BE(0xffd9, spoilt.length / 2)
  // A tall one without its last rows, which the middle square does not have.
  const tall = await photo(4, 60, 240)
  const png = await sharp(whole).png().toBuffer()
  const flipped = Buffer.from(png)
  flipped[Math.floor(png.length / 2)]! ^= 0xff
  const files: Readonly<Record<string, Uint8Array>> = {
    'b0-cut.jpg': whole.subarray(0, whole.length / 2),
    'b1-cut-at-end.jpg': whole.subarray(0, whole.length - 60),
    'b2-spoilt.jpg': spoilt,
    'b3-empty.jpg': new Uint8Array(0),
    'b4-text.jpg': Buffer.from('this is no image at all\n'.repeat(40)),
    'b5-cut-below.jpg': tall.subarray(0, 0.8 * tall.length),
    'b6-png-with-a-wrong-byte.jpg': flipped,
    'b7-noise.png': Buffer.from(Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 31 + 7 * i) % 251)),
  }
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
  await symlink('nowhere.jpg', join(folder, 'b8-dangling.jpg'))
  await mkdir(join(folder, 'b9-folder.jpg'))
  return [...Object.keys(files), 'b8-dangling.jpg', 'b9-folder.jpg']
}
