// What the batches of a data set come to: means by sums and counts, what the host makes of outputs, and the loss in other units.
import type { HostArray, Tensor } from '../graph/index.js'
import type { Metrics } from './events.js'
import type { Fetched, Pair, Tally } from './measure.js'
import type { Traced } from './objective.js'

type Results = Readonly<Record<string, HostArray>>
type Tensors = Readonly<Record<string, Tensor>>

/** A name that no measure has beside its own: `name.sum`. */
const part = (name: string, of: string): string => `${name}.${of}`

/** What a program that measures gives, by name. */
export function fetchesOf({ loss, pair, measures }: Traced): Readonly<Record<string, Tensor>> {
  const wanted: Record<string, Tensor> = {}
  const pairs: [string, Pair][] = pair === undefined ? [] : [['loss', pair]]
  if (pair === undefined) wanted['loss'] = loss
  for (const [name, measure] of Object.entries(measures)) {
    if ('ofLoss' in measure) continue
    if ('sum' in measure) pairs.push([name, measure])
    else for (const [output, tensor] of Object.entries(measure.outputs)) wanted[part(name, output)] = tensor
  }
  for (const [name, { sum, count }] of pairs) {
    wanted[part(name, 'sum')] = sum
    if (typeof count !== 'number') wanted[part(name, 'count')] = count
  }
  return wanted
}

interface Mean {
  sum: number
  count: number
}

/** Adds up the batches of one data set. */
export class Account {
  readonly #means = new Map<string, Mean>()
  readonly #tallies = new Map<string, Tally<Tensors>>()
  #last: Traced | undefined

  /** @param examples of a batch, or its tokens */
  add(outcome: Traced, results: Results, examples: number): void {
    const { pair, measures } = outcome
    this.#last = outcome
    if (pair === undefined) this.#mean('loss', results['loss']![0]! * examples, examples)
    else this.#pair('loss', pair.count, results)
    for (const [name, measure] of Object.entries(measures)) {
      if ('ofLoss' in measure) continue
      if ('sum' in measure) this.#pair(name, measure.count, results)
      else {
        const tally = this.#tallies.get(name) ?? measure.tally()
        this.#tallies.set(name, tally)
        const outputs = Object.keys(measure.outputs).map((output) => [output, results[part(name, output)]!])
        tally.add(Object.fromEntries(outputs) as Fetched<Tensors>)
      }
    }
  }

  #pair(name: string, count: Tensor | number, results: Results): void {
    const over = typeof count === 'number' ? count : results[part(name, 'count')]![0]!
    this.#mean(name, results[part(name, 'sum')]![0]!, over)
  }

  #mean(name: string, sum: number, count: number): void {
    const mean = this.#means.get(name) ?? { sum: 0, count: 0 }
    mean.sum += sum
    mean.count += count
    this.#means.set(name, mean)
  }

  /** Of everything that was added; the loss alone, NaN, where nothing was. */
  metrics(): Metrics {
    const of = (name: string): number => {
      const { sum, count } = this.#means.get(name) ?? { sum: NaN, count: 1 }
      return sum / count
    }
    const loss = of('loss')
    const measures = Object.entries(this.#last?.measures ?? {}).map(([name, measure]): [string, number] => {
      if ('ofLoss' in measure) return [name, measure.ofLoss(loss)]
      return [name, 'sum' in measure ? of(name) : this.#tallies.get(name)!.value()]
    })
    return { loss, ...Object.fromEntries(measures) }
  }
}
