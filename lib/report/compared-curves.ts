// The curves of several runs in one picture: a colour for each run.
import type { Curves } from './curve-recorder.js'
import { finite, panels, type Series } from './curves.js'
import type { Colour } from './theme.js'

/** One for each run, told apart by those who see few colours too (Okabe and Ito 2008, with lighter ones on a dark ground). */
const PALETTE: readonly Colour[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ff9a5c'],
  ['#009e73', '#4cd6ad'],
  ['#cc79a7', '#f0a6cd'],
  ['#8a6d00', '#f0e442'],
  ['#6a4fb3', '#b3a1ff'],
  ['#5f6b7a', '#b9c2cf'],
  ['#a31f34', '#ff8a97'],
]

/** How many runs a picture holds: beyond this colours repeat. */
export const MOST_RUNS = PALETTE.length

/** What is drawn. */
export interface ComparedOptions {
  readonly title: string
  readonly runs: readonly { readonly name: string; readonly curves: Curves }[]
  /** The measure of the lower panel. Default: the first that a run has besides the loss. */
  readonly measure?: string | undefined
}

/**
 * An SVG document: the training losses above, smoothed, and a measure of the validation set below.
 * @throws RangeError for no run, and for more than `MOST_RUNS`
 */
export function comparedCurves({ title, runs, measure }: ComparedOptions): string {
  if (runs.length === 0 || runs.length > MOST_RUNS) {
    throw new RangeError(`comparedCurves: expected 1 to ${MOST_RUNS} runs, got ${runs.length}`)
  }
  const chosen = measure ?? measuresOf(runs)[0]
  const upper = runs.map(({ name, curves }, i): Series => {
    return { name, style: `run${i}`, points: finite(curves.loss), drawn: 'smooth' }
  })
  const lower = runs.flatMap(({ name, curves }, i): Series[] => {
    const points = chosen === undefined ? undefined : curves.metrics.get(chosen)
    return points === undefined ? [] : [{ name, style: `run${i}`, points: finite(points), drawn: 'dots' }]
  })
  const colours = Object.fromEntries(runs.map((_, i) => [`run${i}`, PALETTE[i]!]))
  return panels({ title, colours, upper, lower, lowerName: `validation ${chosen ?? ''}` })
}

/** What the runs measured besides the loss, each name once. */
export function measuresOf(runs: ComparedOptions['runs']): readonly string[] {
  const names = runs.flatMap(({ curves }) => [...curves.metrics.keys()])
  return [...new Set(names)].filter((name) => name !== 'loss')
}
