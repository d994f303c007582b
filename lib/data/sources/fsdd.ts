// The Free Spoken Digit Dataset (Jackson 2016): 3,000 recordings of six people who say one digit each. Read as strings of digits that are joined of them,
// with pauses between, since one word alone asks nothing of a network that reads lines. Taken from the user's copy.
import { expectOptions, is } from '../../base/index.js'
import type { Take } from '../audio/corpus.js'
import { corpusTakes, type CorpusSource, getCorpus, type GetCorpusOptions } from '../audio/corpus-source.js'
import type { SpeechParts } from '../audio/speech-set.js'
import { DataError } from '../errors.js'
import { joinedStrings } from './fsdd-strings.js'

/** What is said in the digits 0 to 9. */
export const digitWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const
/** The six people. */
export const fsddSpeakers = ['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler'] as const
/** One of the six. */
export type FsddSpeaker = (typeof fsddSpeakers)[number]

/** Takes of each digit by each speaker; the first five are the official test set, and the next five are held back here. */
const TAKES = 50
const [TEST_TAKES, HELD_TAKES] = [5, 5]
const RECORDINGS = fsddSpeakers.length * digitWords.length * TAKES

const takeOf = ({ name }: { readonly name: string }): number => Number(name.slice(name.lastIndexOf('_') + 1))

const source: CorpusSource = {
  name: 'fsdd',
  wanted: 'the folder recordings of the Free Spoken Digit Dataset, or an archive of it',
  rate: 8000,
  find({ names }) {
    const found = names.flatMap((path) => {
      const [, digit, speaker, take] = /(?:^|\/)(\d)_([a-z]+)_(\d+)\.wav$/.exec(path) ?? []
      if (digit === undefined || speaker === undefined || take === undefined) return []
      const part = Number(take) < TEST_TAKES ? ('test' as const) : ('train' as const)
      return { part, speaker, name: `${digit}_${speaker}_${take}`, transcript: digitWords[Number(digit)]!, path }
    })
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  },
  expectWhole(rows, where) {
    const there = new Set(rows.map(({ name }) => name))
    const all = fsddSpeakers.flatMap((speaker) =>
      digitWords.flatMap((_, digit) => Array.from({ length: TAKES }, (_, take) => `${digit}_${speaker}_${take}`)),
    )
    const missing = all.find((name) => !there.has(name))
    if (rows.length === RECORDINGS && missing === undefined) return
    const got = `${rows.length}${missing === undefined ? '' : `, and no ${missing}`}`
    throw new DataError(`${where}: expected ${RECORDINGS} recordings of six speakers (0_george_0.wav ...), got ${got}`)
  },
}

/** Options of `fsdd`. */
export interface FsddOptions {
  /** The folder. Default `$OSTRICH_DATA/fsdd`, else `fsdd` in the user's cache. */
  readonly dir?: string
  /** Strings of each part. Default: 6,000 to train on, 300 for validation, 1,000 to test by. */
  readonly strings?: { readonly train?: number; readonly validation?: number; readonly test?: number }
  /** Digits of the longest string; all lengths from one on are as likely. Default: 7. */
  readonly longest?: number
  /** The shortest and the longest pause before, between and behind digits, in seconds. Default: 0.05 and 0.3. */
  readonly pauses?: readonly [least: number, most: number]
  /** Nothing that this speaker says is trained on, and all of it is for the test strings. Default: all speakers are in all parts. */
  readonly heldOut?: FsddSpeaker
  /** Draws the strings. Default: 1, whatever the seed of a run is. */
  readonly seed?: number
}

/**
 * Strings of 1 to 7 digits at 8 kHz, each joined of recordings of one speaker: of takes 10 to 49 to train on, 5 to 9 for validation, 0 to 4, the official
 * test set, to test by. So all speakers are heard in training, unless one is held out.
 * @throws DataError where it is absent (the message says how to get it) or not whole; OstrichError `ERR_OPTION`
 * @example
 * const { train, validation, test } = speechSets(await fsdd(), { alphabet: Alphabet.of(digitWords, 'word') })
 * const others = await fsdd({ heldOut: 'theo' })
 */
export async function fsdd(options: FsddOptions = {}): Promise<SpeechParts> {
  expectOptions<FsddOptions>('fsdd', options, {
    dir: is.text,
    strings: is.object,
    longest: is.whole(1, 100),
    pauses: is.kind('two numbers of seconds, the least first', isRange),
    heldOut: is.oneOf(...fsddSpeakers),
    seed: is.whole(0),
  })
  const { dir, strings = {}, longest = 7, pauses = [0.05, 0.3], heldOut, seed = 1 } = options
  const count = is.whole(1, 1_000_000)
  expectOptions('fsdd[strings]', strings, { train: count, validation: count, test: count })
  const takes = await corpusTakes(source, dir)
  const part = (name: keyof SpeechParts, strings: number, has: (take: Take) => boolean) =>
    joinedStrings(takes.filter(has), { part: name, strings, longest, pauses, seed })
  const heard = ({ speaker }: Take): boolean => speaker !== heldOut
  const fresh = TEST_TAKES + HELD_TAKES
  return {
    train: part('train', strings.train ?? 6000, (take) => heard(take) && takeOf(take) >= fresh),
    validation: part('validation', strings.validation ?? 300, (take) => {
      return heard(take) && takeOf(take) >= TEST_TAKES && takeOf(take) < fresh
    }),
    test: part('test', strings.test ?? 1000, (take) =>
      heldOut === undefined ? takeOf(take) < TEST_TAKES : !heard(take),
    ),
  }
}

const isRange = (value: unknown): boolean => {
  if (!is.numbers.accepts(value)) return false
  const [least = NaN, most = NaN, ...more] = value as readonly number[]
  return least >= 0 && least <= most && most <= 60 && more.length === 0
}

/**
 * Puts the Free Spoken Digit Dataset into the cache from a copy that the user has: its folder `recordings`, or an archive of it.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is damaged or not whole
 * @example await getFsdd({ from: 'free-spoken-digit-dataset-master.zip' })
 */
export async function getFsdd(options: GetCorpusOptions = {}): Promise<string> {
  return getCorpus('getFsdd', source, options)
}
