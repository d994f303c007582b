// What a network that translates is measured by at the end, besides what its training measures: BLEU, chrF and the perplexities of two kinds.
import type { Dataset, LinePairs, Text } from '../data/index.js'
import { type Compiler, translationScores } from '../infer/index.js'
import { grouped } from '../report/index.js'
import type { Plan, SearchPlan } from '../recipes/index.js'
import type { FinalMeasures, Infos } from './reading.js'
import { searchText } from './translator.js'

const less = { better: 'less', format: { digits: 2 } } as const
const more = { better: 'more', format: { digits: 2 } } as const

/** How to read what is measured of translations at the end. */
export const translationInfos: Infos = {
  bleu: { ...more, title: 'BLEU' },
  chrf: { ...more, title: 'chrF' },
  forcedPerplexity: { ...less, title: 'forced perplexity' },
  ownPerplexity: { ...less, title: 'own-word perplexity' },
}

/** Measures the translations of a part of the data; undefined where the plan is none of translations. */
export async function measureTranslations(
  of: Compiler,
  { translator }: Plan,
  held: Dataset | Text,
  search: SearchPlan,
): Promise<FinalMeasures | undefined> {
  if (translator === undefined || 'tokens' in held) return undefined
  const { source, target } = held.tokenizers ?? {}
  if (!hasPairs(held) || source === undefined || target === undefined) return undefined
  const scores = await translationScores(of, translator, held.pairs, { ...search, source, target })
  const { bleu, chrf, forcedPerplexity, ownPerplexity, linesPerSecond } = scores
  const count = grouped(held.pairs.source.length)
  return {
    metrics: { bleu: bleu.score, chrf: chrf.score, forcedPerplexity, ownPerplexity },
    told: [
      bleu.text,
      chrf.text,
      `${count} lines translated, ${linesPerSecond.toFixed(1)} lines/s (${searchText(search)})`,
    ],
    about: { search, signatures: { bleu: bleu.signature, chrf: chrf.signature }, linesPerSecond },
  }
}

const hasPairs = (set: Dataset): set is Dataset & { readonly pairs: LinePairs } => 'pairs' in set
