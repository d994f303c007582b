// Cuts a window out of planes of bytes, mirrored or not, and shifts its colours: whole rows move by memcpy, and the rest works
// on words, as a loop over bytes costs several times the reading of the image.

/** What lies beyond the edge of an image: 0, or the image itself as in a mirror that stands on its outermost pixels. */
export type Border = 'black' | 'mirrored'

/** A window of an image: where it lies (it may reach over the edge), whether it is mirrored, and what is beyond the edge. */
export interface Window {
  readonly top: number
  readonly left: number
  readonly mirror: boolean
  /** Default: black. */
  readonly border?: Border
}

/** Planes u8 [channels, height, width] in a larger array. */
export interface Region {
  readonly data: Uint8Array
  readonly at: number
  readonly channels: number
  readonly height: number
  readonly width: number
}

/**
 * Copies the `size` x `size` window of `source` to planes u8 [channels, size, size] at `to` of `out`.
 *
 * A mirrored row is a reversed one. Rows and planes are laid down from the last to the first, and all bytes reversed at once:
 * this puts rows and planes right again and leaves each row reversed.
 */
export function cutWindow(
  source: Region,
  { top, left, mirror, border = 'black' }: Window,
  size: number,
  out: Uint8Array,
  to: number,
): void {
  const { data, at, channels, height, width } = source
  const length = channels * size * size
  const inside = top >= 0 && left >= 0 && top + size <= height && left + size <= width
  if (!inside && border === 'black') out.fill(0, to, to + length)
  const [firstRow, endRow] = [Math.max(0, -top), Math.min(size, height - top)]
  const [first, end] = [Math.max(0, -left), Math.min(size, width - left)]
  if (!inside && border === 'mirrored') {
    const xs = Array.from({ length: size }, (_, x) => mirroredPlace(left + x, width))
    for (let plane = 0; plane < channels; plane++) {
      for (let y = 0; y < size; y++) {
        const from = at + (plane * height + mirroredPlace(top + y, height)) * width
        const row = to + (mirror ? (channels - plane) * size - 1 - y : plane * size + y) * size
        const whole = y < firstRow || y >= endRow
        for (let x = 0; x < size; x++) if (whole || x < first || x >= end) out[row + x] = data[from + xs[x]!]!
      }
    }
  }
  if (end > first) {
    for (let plane = 0; plane < channels; plane++) {
      let from = at + (plane * height + top + firstRow) * width + left
      let row = to + (mirror ? (channels - plane) * size - 1 - firstRow : plane * size + firstRow) * size
      for (let y = firstRow; y < endRow; y++) {
        // Within one array a row takes half the time, as no view of it is made.
        if (out === data) out.copyWithin(row + first, from + first, from + end)
        else out.set(data.subarray(from + first, from + end), row + first)
        from += width
        row += mirror ? -size : size
      }
    }
  }
  if (mirror) reverse(out, to, length)
}

/** The place in [0, extent) that is seen at any place: outwards from an edge the image goes back, its outermost pixel once. */
function mirroredPlace(place: number, extent: number): number {
  const period = Math.max(1, 2 * extent - 2)
  const inPeriod = ((place % period) + period) % period
  return inPeriod < extent ? inPeriod : period - inPeriod
}

/** Reverses bytes, eight at a time where they lie so. */
function reverse(bytes: Uint8Array, at: number, length: number): void {
  const offset = bytes.byteOffset + at
  if (offset % 8 === 0 && length % 8 === 0) {
    Buffer.from(bytes.buffer, offset, length).swap64()
    new BigUint64Array(bytes.buffer, offset, length / 8).reverse()
  } else bytes.subarray(at, at + length).reverse()
}

const LOW = 0x7f7f7f7f
const HIGH = 0x80808080 | 0

/**
 * Adds whole numbers in [-127, 127], one for each plane, to planes u8 [shifts.length, count] at `at`, held to 0..255.
 */
export function shiftPlanes(bytes: Uint8Array, at: number, count: number, shifts: readonly number[]): void {
  for (const [plane, shift] of shifts.entries()) {
    const from = at + plane * count
    const offset = bytes.byteOffset + from
    if (offset % 4 !== 0 || count % 4 !== 0) shiftBytes(bytes, from, count, shift)
    else if (shift !== 0) shiftWords(new Uint32Array(bytes.buffer, offset, count / 4), shift)
  }
}

function shiftBytes(bytes: Uint8Array, from: number, count: number, shift: number): void {
  for (let i = from; i < from + count; i++) bytes[i] = Math.min(255, Math.max(0, bytes[i]! + shift))
}

/**
 * Four bytes at a time: the low seven bits are added where no sum can reach the next byte; a byte runs over where its high bit
 * and that of the sum are set. To subtract, the same is done to the complement.
 */
function shiftWords(words: Uint32Array, shift: number): void {
  const add = Math.abs(shift) * 0x01010101
  const flip = shift < 0 ? -1 : 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i]! ^ flip
    const sum = (word & LOW) + add
    const over = word & sum & HIGH
    words[i] = ((sum ^ (word & HIGH)) | ((over << 1) - (over >>> 7))) ^ flip
  }
}
