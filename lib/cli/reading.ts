// Metrics as a person reads them, and whether a recipe's number was reached.
import type { Target } from '../recipes/index.js'
import type { Metrics } from '../train/index.js'

/** How each metric is written. */
const written: Readonly<Record<keyof Metrics, (value: number) => string>> = {
  loss: (value) => value.toFixed(4),
  perplexity: (value) => value.toFixed(2),
  bits: (value) => `${value.toFixed(3)} bits`,
  accuracy: percent,
  top5: percent,
}

const names: Readonly<Record<keyof Metrics, string>> = {
  loss: 'loss',
  perplexity: 'perplexity',
  bits: 'per token',
  accuracy: 'accuracy',
  top5: 'top 5',
}

/** A recipe's number under the name of the part that was measured: a person's own data may lack the usual one. */
export function targetOn(part: 'test' | 'validation', target: Target): Target {
  return { ...target, metric: `${part} ${target.of ?? 'accuracy'}` }
}

/** The name of a recipe's number. */
export function nameOf({ metric, views }: Target): string {
  return views === undefined ? metric : `${metric} over ten views`
}

/** All that was measured, the number that a recipe is about first, under its name. */
export function reading(metrics: Metrics, target: Target): string {
  const { of = 'accuracy' } = target
  const rest = (Object.keys(written) as (keyof Metrics)[]).flatMap((name) => {
    const value = metrics[name]
    if (name === of || value === undefined || Number.isNaN(value)) return []
    return [name === 'bits' ? written.bits(value) : `${names[name]} ${written[name](value)}`]
  })
  return [`${nameOf(target)} ${written[of](metrics[of] ?? NaN)}`, ...rest].join(', ')
}

/** The number to reach, as it is written. */
export function goal({ value, of = 'accuracy' }: Target): string {
  return of === 'accuracy' ? percent(value) : `${value}`
}

/** Of accuracy more is better, of the others less. */
export function isReached(metrics: Metrics, { value, of = 'accuracy' }: Target): boolean {
  const got = metrics[of] ?? NaN
  return of === 'accuracy' || of === 'top5' ? got >= value : got <= value
}

/** The share of labels among the five largest outputs, where it was measured. */
export function topFive({ top5 }: Metrics): string {
  return top5 === undefined ? '' : `, top 5 ${percent(top5)}`
}

/** `1 thread`, `2 threads`. */
export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
