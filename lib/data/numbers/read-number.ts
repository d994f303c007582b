// A house number of an image file, as a network takes it. Refuses what is no image, and a box outside of it.
import { decodePart, readImage } from '../image/decode.js'
import { enlarged, type Part } from '../image/part.js'

/** Share by which a box around all digits is enlarged, and sides of the part that is cut and of its middle, as in training. */
const [MARGIN, SIDE, CROP] = [0.3, 64, 54]

/**
 * Bytes u8 [3, side, side] of an image file: of the box around all its digits, enlarged by 30 %, the middle 54 of 64 parts, as networks of SVHN are
 * measured; without a box, of the whole image. Whatever its shape is, it becomes a square.
 * @throws DataError for what is no image, is damaged or cut short, and for a box outside of the image, naming the file
 */
export async function readNumberImage(path: string, side: number, box?: Part): Promise<Uint8Array> {
  return numberImage(await readImage(path), path, side, box)
}

/** The same of the bytes of a file; `name` is what to call it in errors. */
export async function numberImage(bytes: Uint8Array, name: string, side: number, box?: Part): Promise<Uint8Array> {
  if (box === undefined) {
    const whole = (width: number, height: number): Part => ({ left: 0, top: 0, width, height })
    return (await decodePart(bytes, name, whole, side)).data
  }
  const large = Math.round((side * SIDE) / CROP)
  const part = (width: number, height: number): Part => enlarged(box, MARGIN, width, height)
  return middle((await decodePart(bytes, name, part, large)).data, large, side)
}

/** The middle `side` x `side` of planes of `large` x `large`. */
function middle(planes: Uint8Array, large: number, side: number): Uint8Array {
  const before = Math.floor((large - side) / 2)
  const cut = new Uint8Array(3 * side * side)
  for (let plane = 0; plane < 3; plane++) {
    for (let row = 0; row < side; row++) {
      const from = (plane * large + before + row) * large + before
      cut.set(planes.subarray(from, from + side), (plane * side + row) * side)
    }
  }
  return cut
}
