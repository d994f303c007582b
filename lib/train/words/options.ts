// Options of the training of word vectors, with the constants of word2vec's C program.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { type PlaceOptions, placeOptions } from '../options.js'

/** How a training of word vectors stands. */
export interface WordVectorsProgress {
  /** The epoch that it is in, from 1. */
  readonly epoch: number
  readonly epochs: number
  /** Words that were read in all epochs so far, of those that have a vector; and of how many. */
  readonly words: number
  readonly total: number
  /** Words read a second, since the last time. */
  readonly wordsPerSecond: number
  /** Mean loss of a score, since the last time. */
  readonly loss: number
  readonly rate: number
}

/** Options of `wordVectors`. Defaults are those of word2vec's C program. */
export interface WordVectorsOptions extends Omit<PlaceOptions, 'precision'> {
  /** `skipGram`: a word is foretold by each word around it; `cbow`: by their mean. Default: `skipGram`. */
  readonly model?: 'skipGram' | 'cbow'
  /** Default: `negativeSampling`. */
  readonly loss?: 'negativeSampling' | 'hierarchicalSoftmax'
  /** Numbers of a vector. Default: 100. */
  readonly dimension?: number
  /** Words on each side at most. Default: 5. */
  readonly window?: number
  /** Words that are drawn beside each; of negative sampling. Default: 5. */
  readonly negatives?: number
  /** Words of a larger share of the text are left out now and then; 0 keeps all. Default: 0.001. */
  readonly sample?: number
  /** Default: 5. */
  readonly epochs?: number
  /** The learning rate of the first word; it falls to 0 in a line, but not below a ten-thousandth of it. Default: 0.025, of cbow 0.05. */
  readonly rate?: number
  /** Words of a sentence at most. Default: 1000. */
  readonly longest?: number
  /** Default: 1. */
  readonly seed?: number
  /** Where it saves how it stands, to go on from there; a file of the text as numbers is kept in it too. Default: nowhere. */
  readonly folder?: string
  /** Goes on from what is in `folder`, with the same options and the same text. Default: false, which begins anew. */
  readonly resume?: boolean
  /** Seconds between two savings. Default: 60. */
  readonly saveEvery?: number
  /** Called some ten times a second at most. */
  readonly onProgress?: (progress: WordVectorsProgress) => void
  /** Stops after the block in flight, saves where there is a folder, and throws the signal's reason. */
  readonly signal?: AbortSignal
}

const { precision: _, ...aPlace } = placeOptions
const schema: Schema<WordVectorsOptions> = {
  ...aPlace,
  model: is.oneOf('skipGram', 'cbow'),
  loss: is.oneOf('negativeSampling', 'hierarchicalSoftmax'),
  dimension: is.whole(1),
  window: is.whole(1, 256),
  negatives: is.whole(1, 255),
  sample: is.notNegative,
  epochs: is.whole(1),
  rate: is.positive,
  longest: is.whole(1, 2 ** 20),
  seed: is.whole(0),
  folder: is.text,
  resume: is.flag,
  saveEvery: is.notNegative,
  onProgress: is.callable,
  signal: is.signal,
}

/** What decides the vectors, but for the text; a training goes on with the same alone. */
export interface Knobs {
  readonly model: 'skipGram' | 'cbow'
  readonly loss: 'negativeSampling' | 'hierarchicalSoftmax'
  readonly dimension: number
  readonly window: number
  readonly negatives: number
  readonly sample: number
  readonly epochs: number
  readonly rate: number
  readonly longest: number
  readonly seed: number
}

/** @throws OstrichError `ERR_OPTION` */
export function knobsOf(options: WordVectorsOptions): Knobs {
  expectOptions('wordVectors', options, schema)
  const { model = 'skipGram', loss = 'negativeSampling', dimension = 100, window = 5, negatives = 5 } = options
  const { sample = 1e-3, epochs = 5, longest = 1000, seed = 1, rate = model === 'cbow' ? 0.05 : 0.025 } = options
  if (loss === 'hierarchicalSoftmax' && options.negatives !== undefined) {
    throw new OstrichError('ERR_OPTION', 'wordVectors[negatives]: expected none with hierarchicalSoftmax, got some')
  }
  if (options.resume === true && options.folder === undefined) {
    throw new OstrichError('ERR_OPTION', 'wordVectors[resume]: expected a folder to go on in, got none')
  }
  return { model, loss, dimension, window, negatives, sample, epochs, rate, longest, seed }
}
