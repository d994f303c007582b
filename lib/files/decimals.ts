// Decimal numbers in bytes of text, read without making a text of each: a table of words has millions. And f32 in as few digits as
// are needed to read the same number again.

const [PLUS, MINUS, DOT, ZERO, E] = [0x2b, 0x2d, 0x2e, 0x30, 0x65]
/** Powers of ten that f64 holds without rounding. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i)

/**
 * The number that the bytes from `from` to `to` write in ASCII, as `Number` reads it; NaN where they write none, and for what `Number`
 * takes beside decimals (`0x10`, `Infinity`, nothing).
 */
export function decimalIn(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  const isNegative = bytes[at] === MINUS
  if (isNegative || bytes[at] === PLUS) at++
  let [mantissa, digits, scale] = [0, 0, 0]
  let digit = 0
  const isDigit = (): boolean => at < to && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9
  for (; isDigit(); at++, digits++) mantissa = mantissa * 10 + digit
  if (at < to && bytes[at] === DOT) {
    for (at++; isDigit(); at++, digits++, scale--) mantissa = mantissa * 10 + digit
  }
  if (digits === 0) return NaN
  if (at < to && (bytes[at]! | 0x20) === E) {
    const sign = bytes[++at] === MINUS ? -1 : 1
    if (at < to && (sign < 0 || bytes[at] === PLUS)) at++
    if (!isDigit()) return NaN
    let exponent = 0
    for (; isDigit(); at++) exponent = Math.min(exponent * 10 + digit, 1e6)
    scale += sign * exponent
  }
  if (at !== to) return NaN
  // Whole numbers and powers that f64 holds exactly: one product or quotient of them rounds once, as the number itself would.
  if (mantissa <= Number.MAX_SAFE_INTEGER && Math.abs(scale) < POWERS.length) {
    const size = scale < 0 ? mantissa / POWERS[-scale]! : mantissa * POWERS[scale]!
    return isNegative ? -size : size
  }
  return Number(String.fromCharCode(...bytes.subarray(from, to)))
}

/** An f32 in the fewest digits that are read as the same f32: 6 are sometimes enough, 9 always. */
export function decimalOf(x: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const near = Number(x.toPrecision(digits))
    if (Math.fround(near) === x) return String(near)
  }
  return String(Number(x.toPrecision(9)))
}
