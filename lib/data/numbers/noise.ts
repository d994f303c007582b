// Noise for images that are composed: nearly normal, and the same on every machine.
import { PhiloxStream } from '../philox.js'

/** Noise repeats after so many numbers. */
export const NOISE_PERIOD = 1 << 16
/** Standard deviation of the sum of four bytes, each uniform in 0..255. */
const BYTE_SUM = Math.sqrt((4 * (256 * 256 - 1)) / 12)

/** Numbers of mean 0 and deviation 1: sums of four bytes, which are whole numbers on every machine. */
export function noiseTable(): Float32Array {
  const words = new PhiloxStream(1, 0, 0x6e6f6973)
  return Float32Array.from({ length: NOISE_PERIOD }, () => {
    const word = words.next()
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24)
    return (sum - 510) / BYTE_SUM
  })
}
