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
import type { Plan, Recogniser, TranscriptPlan } from '../recipes/index.js'
import { grouped } from '../report/index.js'
import type { Metrics } from '../train/index.js'
import type { PlaceValues } from './language-model.js'
import type { FinalMeasures, Infos } from './reading.js'
import { byNgrams, learnedFor, namedRanking, ngramsIn, type Ranking } from './ranking.js'
import { transcriberOptions, transcriptSearchOf, transcriptSearchText, type TranscriptValues } from './recogniser.js'

const rate = { better: 'less', format: 'percent' } as const

/** How to read what is measured of transcripts at the end. */
export const transcriptInfos: Infos = {
  wordErrorRate: { ...rate, title: 'word error rate' },
  greedyErrorRate: { ...rate, title: 'of the likeliest path' },
  characterErrorRate: { ...rate, title: 'character error rate' },
  phonemeErrorRate: { ...rate, title: 'phoneme error rate' },
}

/** What was said of the search, of what ranks it, and of where that is run. */
export type RankedValues = TranscriptValues & PlaceValues & { readonly 'language-model'?: string | undefined }

export interface Heard {
  readonly train: Dataset | Text
  /** What is measured. */
  readonly held: Dataset | Text
  /** What its training measures, of the same part. */
  readonly metrics: Metrics
  readonly values: RankedValues
  /** Where the language model is kept; undefined: nowhere. */
  readonly folder?: string | undefined
}

/** Measures the transcripts of a part of the data; undefined where the plan is none of speech. @throws as `namedRanking` */
export async function measureTranscripts(
  of: Compiler,
  { recogniser }: Plan,
  { train, held, metrics, values, folder }: Heard,
): Promise<FinalMeasures | undefined> {
  if (recogniser === undefined || !isSpoken(train) || !isSpoken(held)) return undefined
  const search = transcriptSearchOf(recogniser.search, values)
  const given = values['language-model']
  const ranking = given === undefined ? await learned(search, train, folder) : await namedRanking(search, given, values)
  try {
    const listen = transcriber(of, recogniser.net, transcriberOptions(recogniser, search, ranking))
    const sounds = held.utterances.map(({ sound }) => sound)
    const began = performance.now()
    const found = await listen.transcribe(sounds)
    const seconds = (performance.now() - began) / 1000
    listen.dispose()
    const heard = sounds.reduce((sum, { samples }) => sum + samples.length / held.rate, 0)
    const texts = found.map(([best]) => best?.text ?? '')
    const rates = ratesOf(recogniser, texts, linesOf(held))
    const speed = `${grouped(Math.round(heard / seconds))} times as fast as they were said`
    return {
      metrics: {
        ...Object.fromEntries(Object.entries(rates).map(([name, { rate }]) => [name, rate])),
        ...(search.search === 'beam' && { greedyErrorRate: metrics['wordErrorRate']! }),
      },
      told: [
        ...Object.values(rates).map(({ text }) => text),
        `${grouped(texts.length)} lines heard, ${speed} (${transcriptSearchText(search, ranking)})`,
      ],
      about: { search, ...(given !== undefined && { languageModel: given }), timesRealTime: heard / seconds },
    }
  } finally {
    await ranking?.dispose()
  }
}

const linesOf = ({ utterances }: SpeechSet): string[] => utterances.map(({ transcript }) => transcript)

/** The n-grams of what was trained on, where a search is ranked by them; kept in a run's folder. */
async function learned(
  search: TranscriptPlan,
  train: SpeechSet,
  folder: string | undefined,
): Promise<Ranking | undefined> {
  const model = learnedFor(search, linesOf(train))
  if (model === undefined) return undefined
  if (folder !== undefined) await writeArpa(ngramsIn(folder), model)
  return byNgrams(model)
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
