// waves_yesno (OpenSLR 1), made to try Kaldi's scripts: 60 recordings of a man who says yes or no eight times. Taken from the user's copy.
import { expectOptions, is } from '../../base/index.js'
import type { Take } from '../audio/corpus.js'
import { corpusTakes, type CorpusSource, getCorpus, type GetCorpusOptions } from '../audio/corpus-source.js'
import type { SpeechParts } from '../audio/speech-set.js'
import { DataError } from '../errors.js'
import { heldBackPlaces, holdBackOptions, type HoldBackOptions } from '../hold-back.js'

const RECORDINGS = 60
/** Of the 30 recordings to train on, those that are held back unless told. */
const USUAL = 3

const source: CorpusSource = {
  name: 'yesno',
  wanted: 'waves_yesno.tar.gz or its folder',
  rate: 8000,
  find({ names }) {
    const found = names.flatMap((path) => {
      const name = /(?:^|\/)((?:[01]_){7}[01])\.wav$/.exec(path)?.[1]
      return name === undefined ? [] : { name, path }
    })
    // In the order of their names, the first, the third ... are to train on, as icefall has it.
    return found
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, path }, i) => ({
        part: i % 2 === 0 ? 'train' : 'test',
        speaker: 'one',
        name,
        transcript: name
          .split('_')
          .map((word) => (word === '1' ? 'YES' : 'NO'))
          .join(' '),
        path,
      }))
  },
  expectWhole({ length }, where) {
    if (length === RECORDINGS) return
    throw new DataError(
      `${where}: expected the ${RECORDINGS} recordings of yesno (0_0_0_0_1_1_1_1.wav ...), got ${length}`,
    )
  },
}

/** Options of `yesno`. */
export interface YesnoOptions extends HoldBackOptions {
  /** The folder. Default `$OSTRICH_DATA/yesno`, else `yesno` in the user's cache. */
  readonly dir?: string
  /** Recordings of the 30 to train on that are held back; 0: none. Default: 3. */
  readonly validation?: number
}

/**
 * Recordings at 8 kHz of eight words each, `YES` or `NO`: 27 to train on, 3 for validation, 30 to test by (240 words), parted as icefall does.
 * @throws DataError where it is absent (the message says how to get it) or not whole; for an option out of range
 * @example const { train, test } = speechSets(await yesno(), { alphabet: Alphabet.of(['YES NO'], 'word') })
 */
export async function yesno(options: YesnoOptions = {}): Promise<SpeechParts> {
  expectOptions('yesno', options, { dir: is.text, ...holdBackOptions })
  const takes = await corpusTakes(source, options.dir)
  const own = takes.filter(({ part }) => part === 'train')
  const places = heldBackPlaces('yesno', own.length, options, USUAL)
  const pick = (part: Uint32Array): readonly Take[] => Array.from(part, (i) => own[i]!)
  const validation = pick(places.validation)
  const test = takes.filter(({ part }) => part === 'test')
  return { train: pick(places.train), ...(validation.length > 0 && { validation }), test }
}

/**
 * Puts yesno into the cache from a copy that the user has: `waves_yesno.tar.gz`, or its folder.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is damaged or not whole
 * @example await getYesno({ from: 'waves_yesno.tar.gz' })
 */
export async function getYesno(options: GetCorpusOptions = {}): Promise<string> {
  return getCorpus('getYesno', source, options)
}
