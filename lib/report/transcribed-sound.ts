// What is drawn of a sound and of what a network heard in it, in plain numbers. Refuses arrays of other lengths, chances that are none, and
// what lies outside the sound.
import { expectOptions, is, OstrichError, type Schema } from '../base/index.js'

/** Numbers of the frames of a sound, one after the other: frame t lies from t * shift to (t + 1) * shift. */
export interface FrameNumbers {
  readonly values: Float32Array
  /** From frame to frame, s. */
  readonly shift: number
}

/** Natural logarithms of what filters, evenly spaced in mel, let through: values f32 [T, bands]. */
export interface BankFrames extends FrameNumbers {
  readonly bands: number
  /** Where the first filter begins and the last one ends, Hz. */
  readonly low: number
  readonly high: number
}

/** Chances of symbols, of which number 0 is the blank: values f32 [T, symbols], from 0 to 1. */
export interface SymbolFrames extends FrameNumbers {
  readonly symbols: readonly string[]
}

/** A word that was heard. */
export interface HeardWord {
  readonly text: string
  /** Where it begins and ends, s. */
  readonly start: number
  readonly end: number
  /** From 0 to 1. */
  readonly confidence: number
}

/** A sound, and what was heard in it. */
export interface TranscribedSound {
  readonly title: string
  /** Samples of one channel, and how many a second has. */
  readonly samples: Float32Array
  readonly rate: number
  readonly banks: BankFrames
  readonly chances: SymbolFrames
  /** All that was heard. */
  readonly text: string
  readonly words: readonly HeardWord[]
}

/** How long a sound is, s. */
export function secondsOf({ samples, rate }: TranscribedSound): number {
  return samples.length / rate
}

const float32 = is.instance('a Float32Array', Float32Array)
/** A chance from a network may be above 1 by a rounding. */
const chance = is.kind('a number from 0 to 1', (value) => Number(value) >= 0 && Number(value) <= 1 + 1e-6)

const soundSchema: Schema<TranscribedSound> = {
  title: is.needed(is.text),
  samples: is.needed(float32),
  rate: is.needed(is.positive),
  banks: is.needed(is.object),
  chances: is.needed(is.object),
  text: is.needed(is.text),
  words: is.needed(is.listOf(is.object, 'words')),
}

const frameSchema: Schema<FrameNumbers> = { values: is.needed(float32), shift: is.needed(is.positive) }

const bankSchema: Schema<BankFrames> = {
  ...frameSchema,
  bands: is.needed(is.whole(1)),
  low: is.needed(is.notNegative),
  high: is.needed(is.positive),
}

const symbolSchema: Schema<SymbolFrames> = {
  ...frameSchema,
  symbols: is.needed(is.listOf(is.text, 'texts, the blank first')),
}

const wordSchema: Schema<HeardWord> = {
  text: is.needed(is.text),
  start: is.needed(is.notNegative),
  end: is.needed(is.notNegative),
  confidence: is.needed(chance),
}

/** @throws OstrichError `ERR_OPTION` in the name of `where` for a sound that cannot be drawn */
export function expectSound(where: string, sound: TranscribedSound): void {
  expectOptions(where, sound, soundSchema)
  const { samples, banks, chances, words } = sound
  refuse(samples.length > 0, where, 'samples', 'a sample or more', 'none')
  expectOptions(`${where}[banks]`, banks, bankSchema)
  refuse(banks.low < banks.high, `${where}[banks]`, 'low', `less than ${banks.high} Hz, where filters end`, banks.low)
  expectFrames(`${where}[banks]`, banks, banks.bands, sound)
  expectOptions(`${where}[chances]`, chances, symbolSchema)
  refuse(chances.symbols.length > 0, `${where}[chances]`, 'symbols', 'the blank and other symbols', 'none')
  expectFrames(`${where}[chances]`, chances, chances.symbols.length, sound)
  // Logits or logarithms would be drawn as if nothing had been heard.
  const wrong = chances.values.find((value) => !Number.isNaN(value) && !chance.accepts(value))
  refuse(wrong === undefined, `${where}[chances]`, 'values', 'numbers from 0 to 1', wrong)
  // Words end with a frame, and the last one may lie half outside.
  const most = secondsOf(sound) + chances.shift
  for (const [i, word] of words.entries()) {
    const place = `${where}[words][${i}]`
    expectOptions(place, word, wordSchema)
    refuse(word.start <= word.end, place, 'end', `at least ${word.start}, where it starts`, word.end)
    refuse(word.end <= most * (1 + 1e-6), place, 'end', `at most ${seconds(most)}, where the sound ends`, word.end)
  }
}

/** How many frames there are of so many numbers each. */
function expectFrames(where: string, { values, shift }: FrameNumbers, width: number, sound: TranscribedSound): void {
  const frames = values.length / width
  const whole = Number.isInteger(frames)
  refuse(whole, where, 'values', `${width} numbers for each frame`, `${values.length} numbers`)
  const length = secondsOf(sound)
  // Where frames lie around their middles there is one more than the sound has shifts.
  const most = Math.floor(length / shift + 1e-6) + 1
  refuse(frames <= most, where, 'values', `at most ${most} frames in ${seconds(length)}`, `${frames} frames`)
}

function seconds(value: number): string {
  return `${Number(value.toFixed(3))} s`
}

function refuse(good: boolean, where: string, option: string, expected: string, got: unknown): void {
  if (!good) throw new OstrichError('ERR_OPTION', `${where}[${option}]: expected ${expected}, got ${String(got)}`)
}
