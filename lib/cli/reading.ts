// Metrics as a person reads them, and whether a recipe's number was reached.
import { type Format, formatMeasure, isAsGood, type MeasureInfo, namedMeasure, percent } from '../report/index.js'
import type { Plan, Target } from '../recipes/index.js'
import { measures, type Metrics } from '../train/index.js'

/** How to read the loss and all else that a recipe measures, by name. */
export type Infos = Readonly<Record<string, MeasureInfo>>

/** What was measured by a search. */
export interface FinalMeasures {
  readonly metrics: Omit<Metrics, 'loss'>
  /** What a person sees of them, in lines: scores with their signatures or counts, and how fast the search was. */
  readonly told: readonly string[]
  /** What a person must know to compare them. */
  readonly about: Readonly<Record<string, unknown>>
}

/** Those of a plan. */
export function infosOf({ measures: own, infos }: Pick<Plan, 'measures' | 'infos'>): Infos {
  return { loss: measures.lossInfo, ...(own ?? infos ?? { accuracy: measures.accuracy }) }
}

/** A recipe's number under the name of the part that was measured: a person's own data may lack the usual one. */
export function targetOn(part: 'test' | 'validation', target: Target, infos: Infos): Target {
  const { of = 'accuracy' } = target
  return { ...target, metric: `${part} ${infos[of]?.title ?? of}` }
}

/** The name of a recipe's number. */
export function nameOf({ metric, views }: Target): string {
  return views === undefined ? metric : `${metric} over ten views`
}

/** All that was measured, the number that a recipe is about first, under its name; that may be one that is measured at the end alone. */
export function reading(metrics: Metrics, target: Target, infos: Infos): string {
  const { of = 'accuracy' } = target
  const part = target.metric.split(' ')[0] ?? ''
  const rest = Object.entries(infos).flatMap(([name, info]) => {
    const value = metrics[name]
    return name === of || value === undefined || Number.isNaN(value) ? [] : [namedMeasure(name, value, info)]
  })
  const own = metrics[of]
  if (own === undefined) return `${part} ${rest.join(', ')}`
  return [`${nameOf(target)} ${formatMeasure(own, formatOf(target, infos))}`, ...rest].join(', ')
}

/** The number to reach, as it is written. */
export function goal(target: Target, infos: Infos): string {
  return formatOf(target, infos) === 'percent' ? percent(target.value) : `${target.value}`
}

/** Whether the number is reached, in the direction that its measure has. */
export function isReached(metrics: Metrics, { value, of = 'accuracy' }: Target, infos: Infos): boolean {
  const info = infos[of]
  return info !== undefined && isAsGood(metrics[of] ?? NaN, value, info)
}

function formatOf({ of = 'accuracy' }: Target, infos: Infos): Format {
  return infos[of]?.format ?? 'percent'
}

/** `1 thread`, `2 threads`. */
export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
