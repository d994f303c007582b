// A recipe's network, trained for an experiment: measured, asked and attacked.
import type { Dataset, Fields } from '../data/index.js'
import type { Recipe } from '../recipes/index.js'
import { planSession } from '../recipes/index.js'
import { fgsm, lbfgsAttack, type LbfgsAttackResults } from '../solvers/index.js'
import type { Network, Session } from '../train/index.js'
import { type Examples, gatherExamples, predicted } from './examples.js'

/** How far a part of an experiment has come. */
export type Report = (state: { what: string; done: number; total: number; unit: string }) => void

/** What trains a network. */
export interface TrainingOptions {
  readonly train: Dataset<Fields<'x' | 'target'>>
  readonly seed: number
  /** Default: those of the recipe. */
  readonly epochs?: number | undefined
  readonly threads?: number | undefined
  readonly report?: Report
}

/** A trained network. */
export interface Trained {
  readonly name: string
  readonly net: Network
  readonly session: Session
}

/** Rows that are attacked at a time: their state stays in the cache. */
const rows = 100

/** Trains a recipe in f32 to its end. */
export async function trained(recipe: Recipe, options: TrainingOptions): Promise<Trained> {
  const { train, seed, epochs, threads, report } = options
  const plan = recipe.build(epochs === undefined ? {} : { epochs })
  const run = await planSession(plan, {
    data: train,
    seed,
    precision: 'f32',
    device: 'auto',
    ...(threads !== undefined && { threads }),
  })
  try {
    const total = plan.epochs * train.length
    for await (const event of run.events()) {
      if (event.type !== 'step' || event.step % 50 !== 0) continue
      report?.({ what: `training ${recipe.name}`, done: event.step * plan.batch, total, unit: 'images' })
    }
    return { name: recipe.name, net: plan.net, session: run }
  } catch (error) {
    await run.dispose()
    throw error
  }
}

/** Share of wrong answers over a data set. */
export async function errorOn({ session: run }: Trained, data: Dataset<Fields<'x' | 'target'>>): Promise<number> {
  return 1 - ((await run.evaluate(data))['accuracy'] ?? NaN)
}

/** The label that a network gives to each of `count` images, f32 [count, D]. */
export async function answers({ session: run }: Trained, x: Float32Array, count: number): Promise<Int32Array> {
  return predicted(await run.predict(x, { prepared: true }), count)
}

/** Share of `count` images that a network does not give their labels. */
export async function errorOf(network: Trained, x: Float32Array, labels: Int32Array): Promise<number> {
  const got = await answers(network, x, labels.length)
  return labels.reduce((sum, label, row) => sum + (got[row] === label ? 0 : 1), 0) / labels.length
}

/** The nearest images that a network gives the labels `target`, as images of 8 bits keep them. */
export async function nearest(
  { name, net, session: run }: Trained,
  x: Float32Array,
  target: Int32Array,
  report?: Report,
): Promise<LbfgsAttackResults> {
  const shape = [Math.min(rows, target.length), x.length / target.length]
  using attack = await lbfgsAttack(run, net, { shape, levels: 255 })
  const onProgress = (done: number) =>
    report?.({ what: `attacking ${name}`, done, total: target.length, unit: 'images' })
  return await attack.run(x, target, { onProgress })
}

/** Share of wrong answers over a data set whose images one step of epsilon along the gradient's sign has changed. */
export async function fgsmError(
  { net, session: run }: Trained,
  data: Dataset<Fields<'x' | 'target'>>,
  epsilon: number,
): Promise<number> {
  const size = data.fields.x.shape.reduce((product, extent) => product * extent, 1)
  using attack = await fgsm(run, net, { shape: [rows, size], epsilon })
  return await wrongShare(data, rows, async ({ x, labels }) =>
    run.predict(await attack.run(x, labels), { prepared: true }),
  )
}

/** Share of wrong answers over a data set of bytes; `ask` gives the logits of so many images. */
export async function wrongShare(
  data: Dataset<Fields<'x' | 'target'>>,
  rows: number,
  ask: (examples: Examples) => Promise<ArrayLike<number>>,
): Promise<number> {
  let wrong = 0
  for (let at = 0; at < data.length; at += rows) {
    const count = Math.min(rows, data.length - at)
    // The last images again, where they do not fill the rows.
    const places = Uint32Array.from({ length: rows }, (_, i) => at + Math.min(i, count - 1))
    const examples = await gatherExamples(data, places)
    const got = predicted(await ask(examples), rows)
    for (let i = 0; i < count; i++) wrong += got[i] === examples.labels[i] ? 0 : 1
  }
  return wrong / data.length
}
