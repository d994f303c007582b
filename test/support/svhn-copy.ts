// A small copy of what `getSvhnStrips` takes: made-up crops and photographs, in the folders of the two archives.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

const SIDE = 32
/** The box of each digit in its photograph is twice as high as it is wide, so that the digit takes the middle half of its crop. */
const [WIDTH, HEIGHT] = [10, 20]

/** Colours of the photograph `i`: background and digits. */
export const groundOf = (i: number): readonly [number, number, number] => [20 + i, 30, 40]
export const inkOf = (i: number): readonly [number, number, number] => [180 + i, 200, 160]

/** The crop of a digit of the photograph `i`: ink in all of the digit's box, but for a hole that is larger the larger the digit is. */
export function cropOf(i: number, digit: number): Uint8Array {
  const pixels = new Uint8Array(SIDE * SIDE * 3)
  for (let place = 0; place < SIDE * SIDE; place++) {
    const [x, y] = [place % SIDE, Math.floor(place / SIDE)]
    const hole = x >= 14 && x < 18 && y >= 4 && y < 6 + 2 * digit
    pixels.set(x >= 8 && x < 24 && !hole ? inkOf(i) : groundOf(i), 3 * place)
  }
  return pixels
}

const png = (pixels: Uint8Array, width: number, height: number): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()

/**
 * Writes crops of two digits of each of `photos` photographs, and whole numbers: one of train, and those of the first two photographs of the crops.
 * Digits of photograph i are i % 10 and (i + 1) % 10.
 */
export async function writeSvhnCopy(folder: string, photos = 26): Promise<string> {
  const from = join(folder, 'copy')
  const [crops, whole] = [join(from, 'svhn-32x32-test-part'), join(from, 'svhn')]
  for (const path of [join(crops, 'images'), join(whole, 'train'), join(whole, 'test')])
    await mkdir(path, { recursive: true })
  const lines = ['file\tindex\tdigit\tfull_image\tposition\tbox(left,top,width,height)']
  for (let i = 1; i <= photos; i++) {
    for (const position of [0, 1]) {
      const [index, digit] = [2 * i - 1 + position, (i + position) % 10]
      const box = [5 + position * WIDTH, 4, WIDTH, HEIGHT].join()
      lines.push([`images/${index}.png`, index, digit, `${i}.png`, position, box].join('\t'))
      await writeFile(join(crops, 'images', `${index}.png`), await png(cropOf(i, digit), SIDE, SIDE))
    }
  }
  await writeFile(join(crops, 'labels.tsv'), `${lines.join('\n')}\n`)
  const head = 'name\twidth\theight\tdigits\tboxes(left,top,width,height per digit;)'
  const image = await png(new Uint8Array(40 * 30 * 3).fill(90), 40, 30)
  for (const name of ['train/1.png', 'test/1.png', 'test/2.png']) await writeFile(join(whole, name), image)
  await writeFile(join(whole, 'train.tsv'), `${head}\n1.png\t40\t30\t708\t5,4,8,20;13,4,8,20;21,4,8,20\n`)
  const tests = ['1.png\t40\t30\t12\t5,4,10,20;15,4,10,20', '2.png\t40\t30\t23\t5,4,10,20;15,4,10,20']
  await writeFile(join(whole, 'test.tsv'), `${[head, ...tests].join('\n')}\n`)
  return from
}
