// What searches are tested on: small networks that have learned nothing, and everything that they could write.
import { arrays } from '../../lib/data/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { attentionTranslator, lstmTranslator, transformerTranslator, type Translator } from '../../lib/models/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Session, session } from '../../lib/train/index.js'
import { options } from './tasks.js'

const { device } = options()
/** 0 is padding, 1 the beginning, 2 the end: 3 and 4 are words. Sources are of up to `steps` words, translations of up to `longest`. */
export const [vocabulary, longest, steps] = [5, 3, 4]
const common = { source: 7, target: vocabulary, embedding: 6, units: 8 }

export const translators: Readonly<Record<string, () => Translator>> = {
  lstm: () => lstmTranslator({ ...common, layers: 2, dropout: 0, reversed: true }),
  additive: () =>
    attentionTranslator({ ...common, attention: 'additive', dropout: { embedding: 0, reading: 0, writing: 0 } }),
  transformer: () =>
    transformerTranslator({
      ...{ source: 7, target: vocabulary, features: 8, heads: 2, hidden: 12, layers: 1, dropout: 0, longest: 8 },
    }),
}

/** A session of networks that have learned nothing yet. */
export async function opened(...nets: readonly Translator[]): Promise<Session> {
  return openedBy(5, ...nets)
}

/** The same, of another seed. */
export async function openedBy(seed: number, ...nets: readonly Translator[]): Promise<Session> {
  const data = arrays({
    source: { data: new Int32Array(4 * steps).fill(3), shape: [steps] },
    before: { data: new Int32Array(4 * 2).fill(1), shape: [2] },
    lengths: new Int32Array(4).fill(steps),
  })
  const inTime = (x: Tensor<'i32'>): Tensor<'i32'> => ops.transpose(x, [1, 0])
  return session(
    ({ source, before, lengths }) => {
      const means = nets.map((net): Tensor<'f32'> => ops.mean(net.logits(inTime(source), lengths, inTime(before))))
      return { loss: means.reduce((a, b) => ops.add(a, b)) }
    },
    {
      ...{ data, optimizer: optim.sgd({ rate: 0 }), batch: 4, epochs: 1, precision: 'f32', seed },
      ...(device && { device }),
    },
  )
}

/** Words with an end, and the logarithm of how probable they are. */
export interface Possible {
  readonly words: readonly number[]
  readonly logProbability: number
}

/** All that ends within so many words: by the mean of what networks say when they are given all words before. */
export async function everything(
  nets: readonly Translator[],
  run: Pick<Session, 'compile'>,
  source: Int32Array,
  most: number = longest,
): Promise<readonly Possible[]> {
  const all: number[][] = [[]]
  for (let t = 0; t < most; t++) {
    const open = all.filter((known) => known.length === t && known.at(-1) !== 2)
    all.push(...open.flatMap((one) => [2, 3, 4].map((word) => [...one, word])))
  }
  using logits = await run.compile(
    (source: Tensor<'i32'>, lengths: Tensor<'i32'>, before: Tensor<'i32'>) =>
      Object.fromEntries(nets.map((net, i) => [`each${i}`, ops.softmax(net.logits(source, lengths, before))])),
    {
      source: { dtype: 'i32', shape: [steps, 1] },
      lengths: { dtype: 'i32', shape: [1] },
      before: { dtype: 'i32', shape: [most, 1] },
    },
  )
  const padded = new Int32Array(steps)
  padded.set(source)
  const scored: Possible[] = []
  for (const one of all.filter((words) => words.at(-1) === 2)) {
    const before = Int32Array.from({ length: most }, (_, t) => (t === 0 ? 1 : (one[t - 1] ?? 0)))
    const each = await logits.run({ source: padded, lengths: Int32Array.of(source.length), before })
    const shares = Object.values<ArrayLike<number>>(each)
    const logs = one.map((word, t) => {
      const total = shares.reduce((sum, share) => sum + share[t * vocabulary + word]!, 0)
      return Math.log(total / shares.length)
    })
    scored.push({ words: one.slice(0, -1), logProbability: logs.reduce((sum, x) => sum + x, 0) })
  }
  return scored.toSorted((a, b) => b.logProbability - a.logProbability)
}

/** Whether a run of `length` words is there twice. */
export function repeats(words: ArrayLike<number>, length: number): boolean {
  const runs = Array.from({ length: Math.max(0, words.length - length + 1) }, (_, at) =>
    Array.from(words)
      .slice(at, at + length)
      .join(),
  )
  return new Set(runs).size < runs.length
}

/** Sentences of words 2 to 6, of 1 to `steps` words. */
export function sentences(count: number): readonly Int32Array[] {
  let state = 11
  const below = (n: number) => (state = (state * 48271) % 2147483647) % n
  return Array.from({ length: count }, () => Int32Array.from({ length: 1 + below(steps) }, () => 2 + below(5)))
}
