// Ranges of numbers that options take, and the refusal of others.
import { OstrichError } from '../base/index.js'

/** What holds for a good value, in words. */
const ranges = {
  'a number of at least 0': (value: number) => value >= 0 && value < Infinity,
  'a number above 0': (value: number) => value > 0 && value < Infinity,
  'a number from 0 to below 1': (value: number) => value >= 0 && value < 1,
  'a number between 0 and 1': (value: number) => value > 0 && value < 1,
  'a whole number of at least 1': (value: number) => Number.isSafeInteger(value) && value >= 1,
}

/** Throws `ERR_OPTION` unless `value` lies in the range. */
export function expectRange(name: string, option: string, value: number, range: keyof typeof ranges): void {
  if (ranges[range](value)) return
  throw new OstrichError('ERR_OPTION', `${name}: expected ${option} to be ${range}, got ${value}`)
}
