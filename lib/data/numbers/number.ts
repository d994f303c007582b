// A house number as fields of an example (Goodfellow et al. 2014, arXiv:1312.6082, section 3): how many digits it has, up to five digits,
// and which of them are there.
import type { Dataset, FieldArray } from '../dataset.js'
import { expectRoom } from '../rows.js'

/** Digits of the longest number that is read. */
export const MOST_DIGITS = 5
/** The length of a number that has more: it is known to be long, and not read. */
export const LONGER = MOST_DIGITS + 1

/**
 * Images of numbers. `x`: u8 [3, side, side], red, green and blue planes. `length`: i32, 0 to 5, and 6 for more than 5. `digits`: i32 [5],
 * from the left, 0 where there is none. `mask`: u8 [5], 1 where there is a digit; none of a number that is longer than 5.
 */
export type NumberFields = {
  readonly x: { readonly dtype: 'u8'; readonly shape: readonly [3, number, number] }
  readonly length: { readonly dtype: 'i32'; readonly shape: readonly [] }
  readonly digits: { readonly dtype: 'i32'; readonly shape: readonly [5] }
  readonly mask: { readonly dtype: 'u8'; readonly shape: readonly [5] }
}

/** A data set of images of numbers. */
export type NumberSet = Dataset<NumberFields>

/** The fields of images of `side` x `side`. */
export function numberFields(side: number): NumberFields {
  return {
    x: { dtype: 'u8', shape: [3, side, side] },
    length: { dtype: 'i32', shape: [] },
    digits: { dtype: 'i32', shape: [MOST_DIGITS] },
    mask: { dtype: 'u8', shape: [MOST_DIGITS] },
  }
}

/** The arrays of a batch that are wanted. */
export type NumberRows = Partial<Readonly<Record<keyof NumberFields, FieldArray>>>

/** The arrays that are wanted, each with room for so many numbers. @throws DataError */
export function numberRows(fields: NumberFields, out: NumberRows, count: number): NumberRows {
  for (const [name, spec] of Object.entries(fields)) {
    if (name in out) expectRoom(name, spec, out[name as keyof NumberRows], count)
  }
  return out
}

/** Writes a number, as its digits, to a row of those fields that are wanted. */
export function putNumber(number: ArrayLike<number>, { length, digits, mask }: NumberRows, row: number): void {
  const read = number.length > MOST_DIGITS ? 0 : number.length
  if (length !== undefined) length[row] = Math.min(number.length, LONGER)
  for (let i = 0; i < MOST_DIGITS; i++) {
    if (digits !== undefined) digits[row * MOST_DIGITS + i] = i < read ? number[i]! : 0
    if (mask !== undefined) mask[row * MOST_DIGITS + i] = i < read ? 1 : 0
  }
}
