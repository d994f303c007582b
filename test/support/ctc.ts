// Connectionist temporal classification by its definition: every path, one symbol for each frame, and what it gives. For tiny cases only.
import type { Alphabet } from '../../lib/data/index.js'
import { generator } from './random.js'

/** Logits f32 [frames, N, classes]; some frames sure, some not. */
export function drawnLogits(seed: number, frames: number, classes: number, rows = 1): Float32Array {
  const random = generator(seed)
  return Float32Array.from({ length: frames * rows * classes }, () => 6 * random() - 3)
}

/** Log-probabilities of one utterance of a batch, by frame. */
export function logProbabilities(logits: Float32Array, classes: number, row = 0, rows = 1): readonly number[][] {
  return Array.from({ length: logits.length / (rows * classes) }, (_, t) => {
    const first = (t * rows + row) * classes
    const frame = [...logits.subarray(first, first + classes)]
    const sum = Math.log(frame.reduce((total, x) => total + Math.exp(x), 0))
    return frame.map((x) => x - sum)
  })
}

/** A path and its log p. */
export interface Path {
  readonly symbols: readonly number[]
  readonly logProbability: number
}

/** All paths. */
export function everyPath(frames: readonly (readonly number[])[]): Path[] {
  return frames.reduce<Path[]>(
    (paths, frame) =>
      paths.flatMap(({ symbols, logProbability }) =>
        frame.map((p, symbol) => ({ symbols: [...symbols, symbol], logProbability: logProbability + p })),
      ),
    [{ symbols: [], logProbability: 0 }],
  )
}

/** log p of every transcript that a path gives, by its labels. */
export function everyTranscript(alphabet: Alphabet, frames: readonly (readonly number[])[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { symbols, logProbability } of everyPath(frames)) {
    const labels = alphabet.collapse(symbols).join()
    sums.set(labels, (sums.get(labels) ?? 0) + Math.exp(logProbability))
  }
  return new Map([...sums].map(([labels, p]) => [labels, Math.log(p)]))
}

/** log p of labels by the forward sums of Graves et al. 2006, eq. 6 to 8, in probabilities. */
export function forward(frames: readonly (readonly number[])[], labels: readonly number[]): number {
  const states = [0, ...labels.flatMap((label) => [label, 0])]
  let alpha: number[] = states.map(() => 0)
  // Before the first frame nothing has been said: the first label may come at once.
  for (const [t, frame] of frames.entries()) {
    const before = alpha
    alpha = states.map((label, s) => {
      const skips = s > 1 && label !== 0 && label !== states[s - 2]
      const from = (before[s] ?? 0) + (s > 0 ? before[s - 1]! : 0) + (skips ? before[s - 2]! : 0)
      const first = s < 2 ? 1 : 0
      return (t === 0 ? first : from) * Math.exp(frame[label]!)
    })
  }
  return Math.log(alpha.at(-1)! + (labels.length > 0 ? alpha.at(-2)! : 0))
}

/** A prefix in a beam: p of its paths that end in a blank, and in its last label, and what it is worth besides, in nats. */
interface Kept {
  readonly labels: readonly number[]
  blank: number
  label: number
  readonly gain: number
}

/** What is left of a beam search that tries every label behind every prefix, as pairs of labels and score, the best first. */
export function beamSearchOf(
  frames: readonly (readonly number[])[],
  beam: number,
  gainOf: (labels: readonly number[], label: number) => number = () => 0,
): readonly (readonly [labels: string, score: number])[] {
  const scoreOf = ({ blank, label, gain }: Kept): number => Math.log(blank + label) + gain
  let kept: Kept[] = [{ labels: [], blank: 1, label: 0, gain: 0 }]
  for (const frame of frames) {
    const next = new Map<string, Kept>()
    const at = (labels: readonly number[], gain: number): Kept => {
      const known = next.get(labels.join()) ?? { labels, blank: 0, label: 0, gain }
      next.set(labels.join(), known)
      return known
    }
    for (const { labels, blank, label: last, gain } of kept) {
      for (const [symbol, log] of frame.entries()) {
        const p = Math.exp(log)
        if (symbol === 0) at(labels, gain).blank += (blank + last) * p
        const repeats = symbol === labels.at(-1)
        if (repeats) at(labels, gain).label += last * p
        if (symbol === 0) continue
        const before = repeats ? blank : blank + last
        at([...labels, symbol], gain + gainOf(labels, symbol)).label += before * p
      }
    }
    kept = [...next.values()].sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, beam)
  }
  return kept.map((one) => [one.labels.join(), scoreOf(one)])
}
