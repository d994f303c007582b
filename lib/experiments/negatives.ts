// Measures what the tables of negative examples show, for one seed after the other: trains the networks, attacks them, and feeds
// what was found to each.
import { type Dataset, type Fields, permutation, subset } from '../data/index.js'
import { recipes } from '../recipes/index.js'
import type { LbfgsAttackResults } from '../solvers/index.js'
import { distorted, drawExamples, type Examples, normalNoise, predicted, wrongLabels } from './examples.js'
import { halfNetworks, networks } from './layouts.js'
import { errorOf, errorOn, nearest, type Report, type Trained, trained } from './network.js'

/** What is measured on. */
export interface NegativeOptions {
  readonly train: Dataset<Fields<'x' | 'target'>>
  readonly test: Dataset<Fields<'x' | 'target'>>
  /** Test images that are attacked. */
  readonly images: number
  readonly seed: number
  /** Times through the training images. Default: those of the recipes. */
  readonly epochs?: number | undefined
  /** Networks that are trained and attacked at the same time, one thread for each: they are too small for more. Default: 1. */
  readonly atOnce?: number
  readonly report?: Report
  /** Takes the negative examples of each network of table 1. */
  readonly keep?: (network: Trained, examples: Examples, found: Negatives) => Promise<void>
}

/** Negative examples with the labels that they were to get. */
export interface Negatives extends LbfgsAttackResults {
  readonly target: Int32Array
}

/** Numbers by name. */
type Numbers = Record<string, number>

/** Measures everything once. */
export async function measureNegatives(options: NegativeOptions): Promise<Numbers> {
  const examples = await drawExamples(options.test, options.images, options.seed)
  return { ...(await whole(options, examples)), ...(await halves(options, examples)) }
}

const recipeOf = (name: string) => recipes.find((recipe) => recipe.name === name)!

/** Trains each network, does something with all, and ends them. */
async function withNetworks<T>(
  wanted: readonly { readonly recipe: string; readonly train: NegativeOptions['train']; readonly seed: number }[],
  options: NegativeOptions,
  work: (all: readonly Trained[]) => Promise<T>,
): Promise<T> {
  const all: Trained[] = []
  try {
    await sideBySide(options, [...wanted.entries()], async ([i, { recipe, train, seed }]) => {
      all[i] = await trained(recipeOf(recipe), { ...options, train, seed, threads: 1 })
    })
    return await work(all)
  } finally {
    await Promise.all(all.map(({ session }) => session.dispose()))
  }
}

/** Works on some of the items at the same time. Where one fails, those under way end first, and no other starts. */
async function sideBySide<T>({ atOnce = 1 }: NegativeOptions, items: readonly T[], work: (item: T) => Promise<void>) {
  const queue = [...items]
  const one = async (): Promise<void> => {
    try {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
    } catch (error) {
      queue.length = 0
      throw error
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, one))
  for (const end of ends) if (end.status === 'rejected') throw end.reason as Error
}

/** The networks that are trained on everything: tables 1 and 2. */
function whole(options: NegativeOptions, examples: Examples): Promise<Numbers> {
  const { train, test, seed, keep } = options
  const wanted = networks.map(([recipe]) => ({ recipe, train, seed }))
  return withNetworks(wanted, options, async (all) => {
    const numbers: Numbers = {}
    const found = new Map<Trained, Negatives>()
    await sideBySide(options, all, async (network) => {
      numbers[`train ${network.name}`] = await errorOn(network, train)
      numbers[`test ${network.name}`] = await errorOn(network, test)
      numbers[`clean ${network.name}`] = await errorOf(network, examples.x, examples.labels)
      const own = await attacked(network, examples, options)
      found.set(network, own)
      numbers[`distortion ${network.name}`] = average(own.distortion)
      await keep?.(network, examples, own)
    })
    Object.assign(numbers, await transfers('transfer', all, examples, (from) => found.get(from)!.x))
    Object.assign(numbers, await noises('noise', all, examples, [0.1, 0.3], seed))
    const noise = normalNoise(examples.x.length, seed + 1)
    for (const from of all) {
      const noisy = distorted(examples.x, noise, examples.count, found.get(from)!.distortion)
      for (const to of all) numbers[`harmed ${from.name} ${to.name}`] = await harmed(to, examples, noisy)
    }
    const deep = all.filter(({ name }) => name === 'fc100-100-10' || name === 'fc200-200-10')
    return { ...numbers, ...(await rulesOf(deep, examples, options)) }
  })
}

/** The networks that are trained on halves: tables 3 and 4. */
function halves(options: NegativeOptions, examples: Examples): Promise<Numbers> {
  const { train, test, seed } = options
  const order = permutation(train.length, seed, 1)
  const middle = Math.floor(train.length / 2)
  const parts = [subset(train, order.subarray(0, middle)), subset(train, order.subarray(middle, 2 * middle))]
  // The third network differs from the first in its weights too.
  const wanted = halfNetworks.map(([, , recipe, half]) => ({ recipe, train: parts[half]!, seed: seed + 1000 * half }))
  return withNetworks(wanted, options, async (unnamed) => {
    const all = unnamed.map((network, i) => ({ ...network, name: halfNetworks[i]![0] }))
    const numbers: Numbers = {}
    const [near, far] = [new Map<Trained, Float32Array>(), new Map<Trained, Float32Array>()]
    await sideBySide(options, all, async (network) => {
      for (const [i, part] of parts.entries()) numbers[`half P${i + 1} ${network.name}`] = await errorOn(network, part)
      numbers[`half test ${network.name}`] = await errorOn(network, test)
      const { x, distortion } = await attacked(network, examples, options)
      numbers[`half distortion ${network.name}`] = average(distortion)
      near.set(network, x)
      const change = x.map((value, i) => value - examples.x[i]!)
      far.set(network, distorted(examples.x, change, examples.count, 0.1))
    })
    Object.assign(numbers, await transfers('half transfer', all, examples, (from) => near.get(from)!))
    Object.assign(numbers, await transfers('half amplified', all, examples, (from) => far.get(from)!))
    return { ...numbers, ...(await noises('half noise', all, examples, [0.06, 0.1], seed)) }
  })
}

async function attacked(network: Trained, examples: Examples, { seed, report }: NegativeOptions): Promise<Negatives> {
  const logits = (await network.session.predict(examples.x, { prepared: true })) as Float32Array
  const target = wrongLabels('random', examples, logits, { seed })
  return { ...(await nearest(network, examples.x, target, report)), target }
}

async function transfers(
  name: string,
  all: readonly Trained[],
  { labels }: Examples,
  images: (from: Trained) => Float32Array,
): Promise<Numbers> {
  const numbers: Numbers = {}
  for (const from of all) {
    for (const to of all) numbers[`${name} ${from.name} ${to.name}`] = await errorOf(to, images(from), labels)
  }
  return numbers
}

async function noises(
  name: string,
  all: readonly Trained[],
  { x, count, labels }: Examples,
  sizes: readonly number[],
  seed: number,
): Promise<Numbers> {
  const numbers: Numbers = {}
  const noise = normalNoise(x.length, seed)
  for (const size of sizes) {
    const noisy = distorted(x, noise, count, size)
    for (const to of all) numbers[`${name} ${size} ${to.name}`] = await errorOf(to, noisy, labels)
  }
  return numbers
}

/** Of the images that a network gets right, the share that it gets wrong when they are changed. */
async function harmed({ session }: Trained, { x, count, labels }: Examples, changed: Float32Array): Promise<number> {
  const ask = async (images: Float32Array) => predicted(await session.predict(images, { prepared: true }), count)
  const [before, after] = [await ask(x), await ask(changed)]
  const right = labels.map((label, row) => (before[row] === label ? 1 : 0))
  const lost = right.reduce((sum, one, row) => sum + (one === 1 && after[row] !== labels[row] ? 1 : 0), 0)
  return lost / right.reduce((sum, one) => sum + one, 0)
}

/** The rules for labels, on a sixth of the images. */
async function rulesOf(deep: readonly Trained[], all: Examples, options: NegativeOptions): Promise<Numbers> {
  const count = Math.max(1, Math.floor(all.count / 6))
  const size = all.x.length / all.count
  const few = { count, x: all.x.subarray(0, count * size), labels: all.labels.subarray(0, count) }
  const numbers: Numbers = {}
  await sideBySide(options, deep, async (network) => {
    const logits = (await network.session.predict(few.x, { prepared: true })) as Float32Array
    const results: [string, LbfgsAttackResults][] = []
    for (const rule of ['random', 'runner-up', 'fixed'] as const) {
      const target = wrongLabels(rule, few, logits, options)
      results.push([rule, await nearest(network, few.x, target, options.report)])
    }
    results.push(['nine', await nearestOfAll(network, few, logits, options.report)])
    for (const [rule, { x, distortion }] of results) {
      numbers[`rule ${rule} distortion ${network.name}`] = average(distortion)
      for (const to of deep) numbers[`rule ${rule} ${network.name} ${to.name}`] = await errorOf(to, x, few.labels)
    }
  })
  return numbers
}

/** The nearest of the negative examples of all labels that are neither right nor given now. */
async function nearestOfAll(
  network: Trained,
  { x, count, labels }: Examples,
  logits: Float32Array,
  report: Report | undefined,
): Promise<LbfgsAttackResults> {
  const [size, classes] = [x.length / count, logits.length / count]
  const now = predicted(logits, count)
  const tries = Array.from({ length: count }, (_, row) =>
    Array.from({ length: classes }, (_, k) => ({ row, k })).filter(({ k }) => k !== labels[row] && k !== now[row]),
  ).flat()
  const many = new Float32Array(tries.length * size)
  for (const [i, { row }] of tries.entries()) many.set(x.subarray(row * size, (row + 1) * size), i * size)
  const found = await nearest(
    network,
    many,
    Int32Array.from(tries, ({ k }) => k),
    report,
  )
  const best = new Int32Array(count).fill(-1)
  for (const [i, { row }] of tries.entries()) {
    const before = best[row]!
    if (found.reached[i] === 1 && (before < 0 || found.distortion[i]! < found.distortion[before]!)) best[row] = i
  }
  const take = <T>(from: ArrayLike<T>, none: T) => Array.from(best, (i) => (i < 0 ? none : from[i]!))
  const images = new Float32Array(x)
  for (const [row, i] of best.entries()) if (i >= 0) images.set(found.x.subarray(i * size, (i + 1) * size), row * size)
  return {
    x: images,
    reached: Uint8Array.from(take(found.reached, 0)),
    distortion: Float32Array.from(take(found.distortion, NaN)),
    weight: Float32Array.from(take(found.weight, 0)),
  }
}

/** Of the numbers that there are. */
function average(values: Float32Array): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}

/** As images of 8 bits keep them. */
export function rounded(x: Float32Array): Float32Array {
  return x.map((value) => Math.round(value * 255) / 255)
}
