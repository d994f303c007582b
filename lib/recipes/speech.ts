// Speech: layers of a bidirectional LSTM over numbers of frames, trained by connectionist temporal classification. The numbers are word error rates of
// the test parts, measured once, at the end.
import { type Alphabet, type FieldSpec, timitPhonemes } from '../data/index.js'
import { gravesSpeech, speech, type SpeechConfig } from '../models/index.js'
import * as nn from '../nn/index.js'
import * as optim from '../optim/index.js'
import { measures, type Objective } from '../train/index.js'
import {
  chosen,
  type DataSource,
  fieldOf,
  type Recipe,
  type Recogniser,
  type Target,
  type TranscriptPlan,
} from './recipe.js'
import {
  an4Source,
  capitalAlphabet,
  digitAlphabet,
  fsddSource,
  phonemeAlphabet,
  timitSource,
  yesnoAlphabet,
  yesnoSource,
} from './speech-sources.js'

interface Spoken {
  readonly name: string
  readonly title: string
  readonly paper: string
  readonly target: Target
  readonly data: DataSource
  readonly alphabet: Alphabet
  readonly config: Omit<SpeechConfig, 'classes'>
  /** Lines to train on. */
  readonly lines: number
  readonly epochs: number
  readonly batch: number
  readonly rate: number
  readonly search: TranscriptPlan
  readonly fold?: Readonly<Record<string, string>>
}

const info = { better: 'less', format: 'percent', title: 'word error rate' } as const

/** -log p of what was said, a mean over lines; what is told beside it is of the likeliest path. */
function objectiveOf({ net, alphabet }: Recogniser): Objective {
  return (fields) => {
    const whole = (name: string) => fieldOf(fields, name, 'i32')
    const [labels, labelLengths] = [whole('labels'), whole('labelLengths')]
    const heard = net.run(fieldOf(fields, 'samples', 'f32'), { lengths: whole('sampleLengths') })
    const { output: logits, lengths: frames } = heard
    return {
      loss: nn.ctcLoss(logits, labels, labelLengths, frames),
      wordErrorRate: measures.wordErrorRate({ logits, frames, labels, labelLengths, alphabet }),
    }
  }
}

/** A sound of so many seconds, as `ostrich summary` and `profile` see it. */
const SECONDS = 3
const count: FieldSpec = { dtype: 'i32', shape: [] }

function recipe(of: Spoken): Recipe {
  const { name, title, paper, target, data, alphabet, config, search, fold } = of
  return {
    ...{ name, title, paper, target, data },
    build(options = {}) {
      const { epochs = of.epochs, batch = of.batch, rate = of.rate } = chosen(options)
      const net = speech({ ...config, classes: alphabet.size })
      const recogniser: Recogniser = { net, alphabet, search, ...(fold && { fold }) }
      const total = Math.max(20, epochs * Math.ceil(of.lines / batch))
      const samples = { dtype: 'f32', shape: [SECONDS * net.rate], batchAxis: 1, varies: true } as const
      return {
        net: (x) => net(x as nn.Samples),
        recogniser,
        loss: nn.crossEntropy,
        objective: objectiveOf(recogniser),
        infos: { wordErrorRate: info },
        optimizer: optim.adam({ rate: optim.oneCycle(rate, { total, rise: 0.1 }), clipNorm: 5 }),
        batch,
        epochs,
        rate,
        unit: 'lines',
        example: samples,
        fields: { samples, sampleLengths: count, labels: { dtype: 'i32', shape: [8] }, labelLengths: count },
      }
    },
  }
}

const graves = 'Graves, Mohamed & Hinton 2013, "Speech recognition with deep recurrent neural networks"'
const telephone = { convention: 'kaldi', rate: 8000, filters: 30 } as const

/** Strings of digits, joined of recordings of one digit each. */
export const digits = recipe({
  name: 'digits',
  title: 'A bidirectional LSTM hears strings of spoken digits',
  paper: graves,
  target: { metric: 'test word error rate', of: 'wordErrorRate', value: 0.02 },
  data: fsddSource,
  alphabet: digitAlphabet,
  config: {
    features: { banks: telephone, stack: 3, normalise: 'sound' },
    ...{ layers: 2, units: 128, dropout: 0.3 },
    augment: { frequency: { masks: 2, most: 6 }, time: { masks: 2, most: 15, share: 0.1 } },
  },
  ...{ lines: 6000, epochs: 50, batch: 32, rate: 0.004 },
  search: { search: 'greedy' },
})

/** Eight words of two in each sound. */
export const yesnoRecipe = recipe({
  name: 'yesno',
  title: 'A bidirectional LSTM hears eight words in a row, yes or no',
  paper: graves,
  target: { metric: 'test word error rate', of: 'wordErrorRate', value: 0.01 },
  data: yesnoSource,
  alphabet: yesnoAlphabet,
  config: {
    features: { banks: telephone, stack: 3, normalise: 'sound' },
    ...{ layers: 1, units: 48, dropout: 0.4 },
    augment: { frequency: { masks: 2, most: 6 }, time: { masks: 2, most: 10, share: 0.1 } },
  },
  ...{ lines: 27, epochs: 60, batch: 1, rate: 0.005 },
  search: { search: 'greedy' },
})

/** Spelled names, numbers and words of control, character by character. */
export const an4Recipe = recipe({
  name: 'an4',
  title: 'A deep bidirectional LSTM spells what speakers of AN4 say',
  paper: graves,
  target: { metric: 'test word error rate', of: 'wordErrorRate', value: 0.12 },
  data: an4Source,
  alphabet: capitalAlphabet,
  config: {
    features: { banks: { convention: 'kaldi', rate: 16_000, filters: 40 }, stack: 3, normalise: 'sound' },
    ...{ layers: 3, units: 250, dropout: 0.3 },
    augment: { frequency: { masks: 2, most: 8 }, time: { masks: 2, most: 25, share: 0.15 } },
  },
  ...{ lines: 846, epochs: 60, batch: 16, rate: 0.002 },
  search: { search: 'beam', beam: 100, prune: 20, ngrams: 2, alpha: 0.8, beta: 1 },
})

/** The paper's network without its peepholes, trained by Adam: its own schedule is in docs/speech.md. */
export const timitRecipe = recipe({
  name: 'timit',
  title: 'A deep bidirectional LSTM hears phonemes',
  paper: graves,
  target: { metric: 'test phoneme error rate', of: 'phonemeErrorRate', value: 0.186 },
  data: timitSource,
  alphabet: phonemeAlphabet,
  config: {
    ...gravesSpeech,
    features: { ...gravesSpeech.features, normalise: 'sound' },
    ...{ peepholes: false, weightNoise: 0, dropout: 0.3 },
  },
  ...{ lines: 3696, epochs: 40, batch: 16, rate: 0.002 },
  search: { search: 'beam', beam: 100 },
  fold: timitPhonemes,
})
