// What is measured once, at the end of a training and by `ostrich eval`, besides what the training measures: it takes a search, which is too slow for
// every epoch.
import type { Compiler } from '../infer/index.js'
import type { Plan } from '../recipes/index.js'
import { measureFrames } from './frame-measures.js'
import { type FinalMeasures, type Infos, infosOf } from './reading.js'
import { type Heard, measureTranscripts, type RankedValues, transcriptInfos } from './transcript-measures.js'
import { measureTranslations, translationInfos } from './translation-measures.js'
import { searchOf, type SearchValues } from './translator.js'

/** How to read all that is measured of a plan at the end. */
export function finalInfosOf(plan: Plan): Infos {
  return {
    ...infosOf(plan),
    ...(plan.translator !== undefined && translationInfos),
    ...(plan.recogniser !== undefined && transcriptInfos),
  }
}

/** What was said of the searches. */
export type FinalValues = SearchValues & RankedValues

/** Measures a part of the data by a search; undefined where the plan has none. */
export async function measureFinally(
  of: Compiler,
  plan: Plan,
  heard: Omit<Heard, 'values'> & { readonly values: FinalValues },
): Promise<FinalMeasures | undefined> {
  if (plan.recogniser !== undefined) return measureTranscripts(of, plan, heard)
  if (plan.forecaster !== undefined) return measureFrames(of, plan, heard)
  return plan.translator && measureTranslations(of, plan, heard.held, searchOf(plan, heard.values))
}
