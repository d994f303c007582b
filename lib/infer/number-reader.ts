// Images in, the numbers on them out: by the best length, with how sure the network is, and the number that it would have said next.
// Goodfellow et al. 2014, arXiv:1312.6082, section 4.
import { expectKind, is } from '../base/index.js'
import { DataError, type FieldArray } from '../data/index.js'
import { LONGER, MOST_DIGITS } from '../data/numbers/number.js'
import type { HostArray } from '../graph/index.js'

/** Values of a digit, and logits of an image: of its length, then of each digit from the left. */
const VALUES = 10
const LOGITS = LONGER + 1 + MOST_DIGITS * VALUES

/** A number that an image may show. */
export interface NumberGuess {
  /** Its digits from the left, none of no number; undefined of one that has more than five, which is not read. */
  readonly number: string | undefined
  /** How many digits it has: 0 to 5, and 6 for more. */
  readonly length: number
  /** The probability of the whole number, 0 to 1. */
  readonly confidence: number
}

/** What is read off an image. */
export interface NumberReading extends NumberGuess {
  /** The next likeliest number. */
  readonly runnerUp: NumberGuess
}

/** What answers with logits f32 [N, 57] of images, row after row: a session or a loaded model of `models.houseNumbers`. */
export interface NumberPredictor {
  /** Logits of images, row after row. */
  predict(x: FieldArray): Promise<HostArray>
}

/**
 * Reads the numbers on images u8 [N, 3, side, side], all in one array.
 * @throws DataError for a network of other outputs; what `predict` throws
 * @example
 * await using model = await train.load('runs/numbers/last.safetensors', houseNumbers(smallHouseNumbers))
 * const [first] = await train.readNumbers(model, images)
 * console.log(first.number, first.confidence, first.runnerUp.number)
 */
export async function readNumbers(of: NumberPredictor, images: Uint8Array): Promise<readonly NumberReading[]> {
  expectKind('readNumbers', 'of', is.withMethods('a session or a model', 'predict'), of)
  return decodeNumbers((await of.predict(images)) as Float32Array)
}

/**
 * The likeliest number of each row of logits f32 [N, 57], and the next. Of each length the likeliest digits are the likeliest of each; the sum of their
 * logarithms is carried from length to length.
 * @throws DataError for logits that are no whole rows
 * @example const [reading] = decodeNumbers(logits)
 */
export function decodeNumbers(logits: Float32Array): readonly NumberReading[] {
  if (logits.length % LOGITS !== 0) {
    throw new DataError(`decodeNumbers: expected rows of ${LOGITS} logits, got ${logits.length}`)
  }
  return Array.from({ length: logits.length / LOGITS }, (_, row) =>
    decoded(logits.subarray(row * LOGITS, (row + 1) * LOGITS)),
  )
}

/** Digits, and their log-probability with that of their length. */
interface Candidate {
  readonly digits: readonly number[]
  readonly length: number
  readonly score: number
}

/** The best two values of a digit. */
interface Choice {
  readonly best: number
  readonly next: number
  /** log p of the best, and by how much that of the next is lower. */
  readonly score: number
  readonly gap: number
}

function decoded(row: Float32Array): NumberReading {
  const lengths = logShares(row.subarray(0, LONGER + 1))
  const choices = Array.from({ length: MOST_DIGITS }, (_, digit) => {
    const from = LONGER + 1 + digit * VALUES
    return choiceOf(logShares(row.subarray(from, from + VALUES)))
  })
  const all: Candidate[] = []
  let sum = 0
  for (let length = 0; length <= MOST_DIGITS; length++) {
    if (length > 0) sum += choices[length - 1]!.score
    all.push({ digits: choices.slice(0, length).map(({ best }) => best), length, score: lengths[length]! + sum })
  }
  all.push({ digits: [], length: LONGER, score: lengths[LONGER]! })
  const best = all.reduce((most, one) => (one.score > most.score ? one : most))
  // Second to the best is another length at its best, or this one with the digit changed that costs least.
  const others = all.filter((one) => one !== best)
  if (best.digits.length > 0) others.push(changed(best, choices))
  const next = others.reduce((most, one) => (one.score > most.score ? one : most))
  return { ...guessOf(best), runnerUp: guessOf(next) }
}

function changed({ digits, length, score }: Candidate, choices: readonly Choice[]): Candidate {
  const own = choices.slice(0, length)
  const place = own.reduce((least, { gap }, i) => (gap < own[least]!.gap ? i : least), 0)
  const { next, gap } = own[place]!
  return { digits: digits.map((digit, i) => (i === place ? next : digit)), length, score: score - gap }
}

function choiceOf(logs: readonly number[]): Choice {
  const largest = (but: number): number =>
    logs.reduce((most, log, i) => (i !== but && (most < 0 || log > logs[most]!) ? i : most), -1)
  const best = largest(-1)
  const next = largest(best)
  return { best, next, score: logs[best]!, gap: logs[best]! - logs[next]! }
}

function guessOf({ digits, length, score }: Candidate): NumberGuess {
  return { number: length > MOST_DIGITS ? undefined : digits.join(''), length, confidence: Math.exp(score) }
}

/** log softmax, in float64. */
function logShares(logits: Float32Array): number[] {
  const most = Math.max(...logits)
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0)
  return Array.from(logits, (logit) => logit - most - Math.log(sum))
}
