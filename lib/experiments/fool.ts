// Images of every class, changed as little as it takes for a network to see one class in all of them.
import type { Dataset, Fields } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { type Compiler, lbfgsAttack } from '../solvers/index.js'
import type { Network } from '../train/index.js'
import { gatherExamples, predicted } from './examples.js'
import { rounded } from './negatives.js'

/** What is asked of `foolAll`. */
export interface FoolOptions {
  /** Class to be seen. */
  readonly target: number
  /** Images of each class. */
  readonly images: number
  /** Classes, from the first on. */
  readonly classes: number
  /** How bytes become what the network takes; default: scaled to 0..1. */
  readonly input?: (raw: Tensor) => Tensor
  /** Images that are attacked at a time. Default: 20. */
  readonly rows?: number
  readonly onProgress?: (done: number, total: number) => void
}

/** One class of images, or all where `label` is undefined. */
export interface FooledRow {
  readonly label?: number
  readonly count: number
  readonly reached: number
  /** Mean over the images that reached the class. */
  readonly distortion: number
}

/** An image f32 [C, H, W] in [0, 1] and its negative, with the classes that were seen. */
export interface FooledPicture {
  readonly original: Float32Array
  readonly negative: Float32Array
  readonly before: number
  readonly after: number
  readonly distortion: number
}

/** What was found. */
export interface Fooled {
  readonly channels: 1 | 3
  readonly side: number
  readonly rows: readonly FooledRow[]
  /** The first images of each class. */
  readonly pictures: readonly { readonly label: number; readonly pictures: readonly FooledPicture[] }[]
}

/** Pictures that are kept of each class. */
const kept = 3

/** The nearest images of class `target` to images of each other class that the network does not see it in, in 8 bits. */
export async function foolAll(
  model: Compiler,
  net: Network,
  data: Dataset<Fields<'x' | 'target'>>,
  options: FoolOptions,
): Promise<Fooled> {
  const [channels = 1, side = 1] = data.fields.x.shape
  const size = data.fields.x.shape.reduce((product, extent) => product * extent, 1)
  const apply = net
  const { input, target, rows = 20, onProgress } = options
  const classify = (x: Tensor): Tensor => apply(input === undefined ? x : input(ops.mul(x, 255)))
  const shape = [rows, ...data.fields.x.shape]
  const forward = await model.compile((x: Tensor) => ({ logits: classify(x) }), { x: shape })
  let outputs = 0
  const seen = async (x: Float32Array): Promise<Int32Array> => {
    const found = new Int32Array(x.length / size)
    for (let at = 0; at < found.length; at += rows) {
      const part = new Float32Array(rows * size)
      part.set(x.subarray(at * size, (at + rows) * size))
      const { logits } = await forward.run({ x: part })
      outputs = logits!.length / rows
      found.set(predicted(logits!, rows).subarray(0, found.length - at), at)
    }
    return found
  }
  const { x, labels } = await byClass(data, size, options, seen, () => outputs)
  using attack = await lbfgsAttack(model, classify, { shape, levels: 255, weight: 10 })
  const goals = new Int32Array(labels.length).fill(target)
  const found = await attack.run(x, goals, { onProgress: (done) => onProgress?.(done, labels.length) })
  const kept8 = rounded(found.x)
  const [before, after] = [await seen(x), await seen(kept8)]
  forward.dispose()
  const distortion = Float64Array.from(labels, (_, i) => away(x, kept8, i * size, size))
  const row = (which: readonly number[]): FooledRow => {
    const reached = which.filter((i) => after[i] === target)
    const sum = reached.reduce((total, i) => total + distortion[i]!, 0)
    return { count: which.length, reached: reached.length, distortion: sum / reached.length }
  }
  const all = Array.from(labels.keys())
  const groups = [...new Set(labels)].map((label) => ({ label, places: all.filter((i) => labels[i] === label) }))
  return {
    channels: channels === 1 ? 1 : 3,
    side,
    rows: [...groups.map(({ label, places }) => ({ label, ...row(places) })), row(all)],
    pictures: groups.map(({ label, places }) => ({
      label,
      pictures: places.slice(0, kept).map((i) => ({
        original: x.slice(i * size, (i + 1) * size),
        negative: kept8.slice(i * size, (i + 1) * size),
        before: before[i]!,
        after: after[i]!,
        distortion: distortion[i]!,
      })),
    })),
  }
}

/** Root of the mean square of an image's change. */
function away(x: Float32Array, y: Float32Array, at: number, size: number): number {
  let sum = 0
  for (let i = at; i < at + size; i++) sum += (x[i]! - y[i]!) ** 2
  return Math.sqrt(sum / size)
}

/** The first images of each class in the order of the set, without those in which the class is seen already. */
async function byClass(
  data: Dataset<Fields<'x' | 'target'>>,
  size: number,
  { target, images, classes }: FoolOptions,
  seen: (x: Float32Array) => Promise<Int32Array>,
  outputs: () => number,
): Promise<{ readonly x: Float32Array; readonly labels: Int32Array }> {
  const found = new Map<number, Float32Array[]>()
  const step = 200
  for (let at = 0; at < data.length; at += step) {
    const places = Uint32Array.from({ length: Math.min(step, data.length - at) }, (_, i) => at + i)
    const { x, labels } = await gatherExamples(data, places)
    const now = await seen(x)
    for (const [i, label] of labels.entries()) {
      const own = found.get(label) ?? []
      if (label === target || now[i] === target || label >= classes || own.length >= images) continue
      found.set(label, [...own, x.slice(i * size, (i + 1) * size)])
    }
    const among = Math.min(classes, outputs())
    if (found.size >= among - (target < among ? 1 : 0) && [...found.values()].every((own) => own.length >= images))
      break
  }
  const entries = [...found].sort(([a], [b]) => a - b)
  if (entries.length === 0) {
    throw new Error(`fool: expected images of the first ${classes} classes that are not seen as ${target}, got none`)
  }
  const x = new Float32Array(entries.reduce((sum, [, own]) => sum + own.length, 0) * size)
  const labels = entries.flatMap(([label, own]) => own.map(() => label))
  entries
    .flatMap(([, own]) => own)
    .forEach((image, i) => {
      x.set(image, i * size)
    })
  return { x, labels: Int32Array.from(labels) }
}
