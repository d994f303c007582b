// TIMIT (Garofolo et al. 1993): read sentences of American English, each with its phonemes. Taken from the user's licensed copy (LDC93S1), in the parts
// that phoneme recognition is told by: the sentences SA, which all speakers read, are left out.
import { expectOptions, is } from '../../base/index.js'
import {
  corpusTakes,
  type CorpusSource,
  type FoundRecording,
  getCorpus,
  type GetCorpusOptions,
} from '../audio/corpus-source.js'
import type { SpeechParts } from '../audio/speech-set.js'
import { DataError } from '../errors.js'

/** Recordings and speakers of each part: eight sentences of each speaker. */
const PARTS = {
  train: { recordings: 3696, speakers: 462 },
  validation: { recordings: 400, speakers: 50 },
  test: { recordings: 192, speakers: 24 },
} as const
type Part = keyof typeof PARTS

/** Speakers of the core test set, as the documentation of TIMIT names them: two men and a woman of each of eight regions. */
export const timitCoreTest: readonly string[] = (
  'mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 ' +
  'mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0'
).split(' ')

/** Speakers of the test set by whom networks are chosen (Halberstadt 1998), as Kaldi and all after it have them. */
export const timitValidation: readonly string[] = (
  'faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0 mtaa0 ' +
  'mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 ' +
  'mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1'
).split(' ')

/** A file of a sentence, in small letters: its recording, of whatever kind, or its phonemes. */
const SENTENCE = /(?:^|\/)(train|test)\/dr[1-8]\/([fm][a-z]{3}\d)\/(s[ix]\d+)\.(phn|(?:wav\.)?wav|sph|flac)$/

const source: CorpusSource = {
  name: 'timit',
  wanted: 'the folder TIMIT of LDC93S1, or an archive of it',
  rate: 16_000,
  async find(files, from) {
    const found = new Map<string, Omit<FoundRecording, 'transcript'>>()
    const phonemes = new Map<string, string>()
    for (const path of [...files.names].sort()) {
      const [, half, speaker, number, kind] = SENTENCE.exec(path.toLowerCase()) ?? []
      if (half === undefined || speaker === undefined || number === undefined) continue
      const name = `${speaker}_${number}`
      const part = partOf(half, speaker)
      if (part === undefined) continue
      if (kind === 'phn') phonemes.set(name, path)
      else found.set(name, { part, speaker, name, path })
    }
    const rows: FoundRecording[] = []
    for (const row of found.values()) {
      const path = phonemes.get(row.name)
      if (path === undefined) throw new DataError(`${from}: expected the phonemes of ${row.path} (.PHN), got none`)
      rows.push({ ...row, transcript: phonemesOf(await files.read(path), `${from}: ${path}`) })
    }
    return rows
  },
  expectWhole(rows, where) {
    for (const [part, { recordings, speakers }] of Object.entries(PARTS)) {
      const own = rows.filter((row) => row.part === part)
      const people = new Set(own.map(({ speaker }) => speaker)).size
      if (own.length === recordings && people === speakers) continue
      const expected = `expected ${recordings} recordings of ${speakers} speakers for ${part}`
      throw new DataError(`${where}: ${expected}, got ${own.length} of ${people}`)
    }
  },
}

/** The part of a speaker; undefined for those of the test set that are in none. */
function partOf(half: string, speaker: string): Part | undefined {
  if (half === 'train') return 'train'
  if (timitCoreTest.includes(speaker)) return 'test'
  return timitValidation.includes(speaker) ? 'validation' : undefined
}

/** Lines of a first sample, a last one and a phoneme. */
function phonemesOf(bytes: Uint8Array, where: string): string {
  const lines = new TextDecoder('latin1')
    .decode(bytes)
    .trim()
    .split(/\s*\n\s*/)
  return lines
    .map((line, i) => {
      const phoneme = /^\d+ \d+ (\S+)$/.exec(line)?.[1]
      if (phoneme !== undefined) return phoneme
      throw new DataError(
        `${where}:${i + 1}: expected two samples and a phoneme, got ${JSON.stringify(line.slice(0, 60))}`,
      )
    })
    .join(' ')
}

/** Options of `timit`. */
export interface TimitOptions {
  /** The folder. Default `$OSTRICH_DATA/timit`, else `timit` in the user's cache. */
  readonly dir?: string
}

/**
 * TIMIT at 16 kHz, in transcripts of its 61 phonemes with a space between: 3,696 sentences of 462 speakers to train on, 400 of 50 for validation, and
 * the core test set, 192 of 24. Recognition is told by 39 of them (`timitPhonemes`).
 * @throws DataError where it is absent (the message says how to get it) or not whole
 * @example
 * const lines = await timit()
 * const sets = speechSets(lines, { alphabet: Alphabet.of(lines.train.map(({ transcript }) => transcript), 'word') })
 */
export async function timit(options: TimitOptions = {}): Promise<SpeechParts> {
  expectOptions<TimitOptions>('timit', options, { dir: is.text })
  const takes = await corpusTakes(source, options.dir)
  const [train, validation, test] = (['train', 'validation', 'test'] as const).map((name) =>
    takes.filter(({ part }) => part === name),
  )
  return { train: train!, validation: validation!, test: test! }
}

/**
 * Puts TIMIT into the cache from the user's licensed copy: its folder, or an archive of it.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is damaged or not whole
 * @example await getTimit({ from: 'LDC93S1/TIMIT' })
 */
export async function getTimit(options: GetCorpusOptions = {}): Promise<string> {
  return getCorpus('getTimit', source, options)
}
