// One rate of `ostrich bench titan`: a whole training session, stopped after some steps, in this process.
import { arrays, type Dataset, madeUp } from '../data/index.js'
import { planSession, type Recipe } from '../recipes/index.js'
import type { ObjectiveOptions } from '../train/index.js'

/** Where the images of a measurement come from. */
export type TitanData = 'synthetic' | 'packed' | 'jpeg'

export interface TitanOptions extends Pick<ObjectiveOptions, 'device' | 'precision' | 'threads'> {
  readonly recipe: Recipe
  readonly data: TitanData
  readonly batch: number
  /** Steps that are timed. */
  readonly steps: number
  /** Folder of packed images. */
  readonly folder?: string | undefined
}

/** What came of it. */
export interface TitanRate {
  readonly data: TitanData
  readonly precision: string
  readonly batch: number
  /** Images per second. */
  readonly rate: number
  /** Most memory that this process has had, in MiB. */
  readonly memory: number
  readonly device: Readonly<Record<string, string>>
}

const warmUp = 3
/** Images of few classes diverge within ten steps at the published rate, which is for a thousand; the rate takes no time. */
const rate = 1e-6

/** Trains for `warmUp + steps` steps and times the last of them, from the end of one step to the end of the last. */
export async function measureTitan({ recipe, data, batch, steps, folder, ...place }: TitanOptions): Promise<TitanRate> {
  const plan = recipe.build({ batch, rate })
  const source =
    data === 'synthetic'
      ? synthetic(plan.example, batch, warmUp + steps)
      : await recipe.data.load(folder === undefined ? {} : { dir: folder })
  const train: ObjectiveOptions['data'] = 'train' in source ? source.train : source
  await using run = await planSession({ ...plan, epochs: 1_000_000 }, { ...place, data: train })
  let [began, ended] = [0, 0]
  for await (const event of run.events()) {
    if (event.type !== 'step') continue
    if (event.step === warmUp) began = event.elapsed
    ended = event.elapsed
    if (event.step === warmUp + steps) break
  }
  return {
    data,
    precision: run.precision,
    batch,
    rate: (steps * batch) / (ended - began),
    memory: process.resourceUsage().maxRSS / 1024,
    device: run.device,
  }
}

/** Two batches of noise in memory, as bytes, over and over: no epoch ends while it is measured. */
function synthetic(example: { readonly shape: readonly number[] }, batch: number, steps: number): Dataset {
  const { x, target } = madeUp(2 * batch, { dtype: 'u8', shape: example.shape }, 1000)
  const noise = arrays({ x: { data: x, shape: example.shape }, target })
  return {
    length: batch * (steps + 8),
    fields: noise.fields,
    gather: (indices, out) =>
      noise.gather(
        Uint32Array.from(indices, (index) => index % noise.length),
        out,
      ),
  }
}
