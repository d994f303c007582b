// What a network that hears is measured by at the end, besides what its training measures: error rates of what its search finds.
import {
  characterErrorRate,
  type Dataset,
  type ErrorRate,
  phonemeErrorRate,
  type SpeechSet,
  type Text,
  wordErrorRate,
  writeArpa,
} from '../data/index.js'
import { type Compiler, transcriber } from '../infer/index.js'
import type { Plan, Recogniser } from '../recipes/index.js'
import { grouped } from '../report/index.js'
import type { Metrics } from '../train/index.js'
import type { FinalMeasures, Infos } from './reading.js'
import {
  learnedFor,
  ngramsIn,
  transcriberOptions,
  transcriptSearchOf,
  transcriptSearchText,
  type TranscriptValues,
} from './recogniser.js'

const rate = { better: 'less', format: 'percent' } as const

/** How to read what is measured of transcripts at the end. */
export const transcriptInfos: Infos = {
  wordErrorRate: { ...rate, title: 'word error rate' },
  greedyErrorRate: { ...rate, title: 'of the likeliest path' },
  characterErrorRate: { ...rate, title: 'character error rate' },
  phonemeErrorRate: { ...rate, title: 'phoneme error rate' },
}

export interface Heard {
  readonly train: Dataset | Text
  /** What is measured. */
  readonly held: Dataset | Text
  /** What its training measures, of the same part. */
  readonly metrics: Metrics
  readonly values: TranscriptValues
  /** Where the language model is kept; undefined: nowhere. */
  readonly folder?: string | undefined
}

/** Measures the transcripts of a part of the data; undefined where the plan is none of speech. */
export async function measureTranscripts(
  of: Compiler,
  { recogniser }: Plan,
  { train, held, metrics, values, folder }: Heard,
): Promise<FinalMeasures | undefined> {
  if (recogniser === undefined || !isSpoken(train) || !isSpoken(held)) return undefined
  const search = transcriptSearchOf(recogniser.search, values)
  const lines = ({ utterances }: SpeechSet): string[] => utterances.map(({ transcript }) => transcript)
  const model = learnedFor(search, lines(train))
  if (model !== undefined && folder !== undefined) await writeArpa(ngramsIn(folder), model)
  using listen = transcriber(of, recogniser.net, transcriberOptions(recogniser, search, model))
  const sounds = held.utterances.map(({ sound }) => sound)
  const began = performance.now()
  const found = await listen.transcribe(sounds)
  const seconds = (performance.now() - began) / 1000
  const heard = sounds.reduce((sum, { samples }) => sum + samples.length / held.rate, 0)
  const texts = found.map(([best]) => best?.text ?? '')
  const rates = ratesOf(recogniser, texts, lines(held))
  const speed = `${grouped(Math.round(heard / seconds))} times as fast as they were said`
  return {
    metrics: {
      ...Object.fromEntries(Object.entries(rates).map(([name, { rate }]) => [name, rate])),
      ...(search.search === 'beam' && { greedyErrorRate: metrics['wordErrorRate']! }),
    },
    told: [
      ...Object.values(rates).map(({ text }) => text),
      `${grouped(texts.length)} lines heard, ${speed} (${transcriptSearchText(search, model)})`,
    ],
    about: { search, timesRealTime: heard / seconds },
  }
}

function ratesOf(
  { alphabet, fold }: Recogniser,
  found: readonly string[],
  wanted: readonly string[],
): Readonly<Record<string, ErrorRate>> {
  if (fold !== undefined) return { phonemeErrorRate: phonemeErrorRate(found, wanted, { fold }) }
  const words = { wordErrorRate: wordErrorRate(found, wanted) }
  return alphabet.unit === 'word' ? words : { ...words, characterErrorRate: characterErrorRate(found, wanted) }
}

const isSpoken = (set: Dataset | Text): set is SpeechSet => 'utterances' in set
