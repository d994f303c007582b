// What the batches of a data set come to: means by sums and counts, what the host makes of outputs, and the loss in other units.
import type { HostArray, Tensor } from '../graph/index.js'
import type { Metrics } from './events.js'
import type { Fetched, HostMeasure, LossMeasure, Pair, Tally } from './measure.js'
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

/** What a sum is over: a number, or what was fetched. */
interface Over {
  readonly over: number | 'fetched'
}

/** How the loss and each measure are made of what was fetched. It holds no tensor, and so not the graph of each program that is kept. */
export interface Making {
  /** Undefined where the loss is the mean of a batch. */
  readonly loss: Over | undefined
  readonly measures: readonly (readonly [
    name: string,
    how: LossMeasure | Over | (Pick<HostMeasure, 'tally'> & { readonly outputs: readonly string[] }),
  ])[]
}

export function makingOf({ pair, measures }: Traced): Making {
  const over = ({ count }: Pair): Over => ({ over: typeof count === 'number' ? count : 'fetched' })
  return {
    loss: pair && over(pair),
    measures: Object.entries(measures).map(([name, measure]) => {
      if ('ofLoss' in measure) return [name, measure]
      if ('sum' in measure) return [name, over(measure)]
      return [name, { tally: measure.tally, outputs: Object.keys(measure.outputs) }]
    }),
  }
}

interface Mean {
  sum: number
  count: number
}

/** Adds up the batches of one data set. */
export class Account {
  readonly #means = new Map<string, Mean>()
  readonly #tallies = new Map<string, Tally<Tensors>>()
  #last: Making | undefined

  /** @param examples of a batch, or its tokens */
  add(making: Making, results: Results, examples: number): void {
    const { loss, measures } = making
    this.#last = making
    if (loss === undefined) this.#mean('loss', results['loss']![0]! * examples, examples)
    else this.#pair('loss', loss, results)
    for (const [name, how] of measures) {
      if ('ofLoss' in how) continue
      if ('over' in how) this.#pair(name, how, results)
      else {
        const tally = this.#tallies.get(name) ?? how.tally()
        this.#tallies.set(name, tally)
        const outputs = how.outputs.map((output) => [output, results[part(name, output)]!])
        tally.add(Object.fromEntries(outputs) as Fetched<Tensors>)
      }
    }
  }

  #pair(name: string, { over }: Over, results: Results): void {
    const count = over === 'fetched' ? results[part(name, 'count')]![0]! : over
    this.#mean(name, results[part(name, 'sum')]![0]!, count)
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
    const measures = (this.#last?.measures ?? []).map(([name, how]): [string, number] => {
      if ('ofLoss' in how) return [name, how.ofLoss(loss)]
      return [name, 'over' in how ? of(name) : this.#tallies.get(name)!.value()]
    })
    return { loss, ...Object.fromEntries(measures) }
  }
}
