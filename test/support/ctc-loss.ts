// Connectionist temporal classification in float64, two ways that have nothing in common: every labelling of every frame, one by one, where
// they are few; and the recursion over labels with blanks between them (Graves et al. 2006, 4.1).
import { at, fill, indices, type NDArray } from './ndarray.js'

/** Log-probabilities of each frame's classes, and the labels that are to be found there. */
export interface CtcRow {
  readonly frames: readonly (readonly number[])[]
  readonly labels: readonly number[]
  readonly blank: number
}

/** The probability of the labels as a logarithm, and of each frame how much of it each class has, as a share. */
export interface Alignments {
  readonly logLikelihood: number
  readonly shares: readonly (readonly number[])[]
}

/** What a labelling of the frames says: repeats once, and no blanks. */
export function collapsed(path: readonly number[], blank: number): number[] {
  return path.filter((k, t) => k !== path[t - 1] && k !== blank)
}

export function byAlignments({ frames, labels, blank }: CtcRow): Alignments {
  const classes = frames[0]?.length ?? 0
  const paths = indices(frames.map(() => classes)).filter((path) => collapsed(path, blank).join() === labels.join())
  const probability = (path: readonly number[]) => Math.exp(path.reduce((sum, k, t) => sum + frames[t]![k]!, 0))
  const all = paths.map((path) => ({ path, p: probability(path) }))
  const total = all.reduce((sum, { p }) => sum + p, 0)
  const share = (t: number, k: number) => all.reduce((sum, { path, p }) => sum + (path[t] === k ? p : 0), 0) / total
  return { logLikelihood: Math.log(total), shares: frames.map((own, t) => own.map((_, k) => share(t, k))) }
}

function logSum(terms: readonly number[]): number {
  const top = Math.max(...terms)
  return top === -Infinity ? top : top + Math.log(terms.reduce((sum, x) => sum + Math.exp(x - top), 0))
}

export function byRecursion({ frames, labels, blank }: CtcRow): Alignments {
  const states = [blank, ...labels.flatMap((label) => [label, blank])]
  const last = states.length - 1
  const follows = (from: number, to: number) =>
    to === from || to === from + 1 || (to === from + 2 && states[to] !== blank && states[to] !== states[from])
  const all = states.map((_, s) => s)
  const [alpha, beta] = [frames.map(() => all.map(() => 0)), frames.map(() => all.map(() => 0))]
  frames.forEach((own, t) => {
    for (const s of all) {
      const before = t === 0 ? [s < 2 ? 0 : -Infinity] : all.filter((r) => follows(r, s)).map((r) => alpha[t - 1]![r]!)
      alpha[t]![s] = logSum(before) + own[states[s]!]!
    }
  })
  for (let t = frames.length - 1; t >= 0; t--) {
    const next = (s: number) => frames[t + 1]![states[s]!]! + beta[t + 1]![s]!
    for (const s of all) {
      const isLast = t === frames.length - 1
      beta[t]![s] = isLast ? (s >= last - 1 ? 0 : -Infinity) : logSum(all.filter((r) => follows(s, r)).map(next))
    }
  }
  const ends = frames.length === 0 ? [labels.length === 0 ? 0 : -Infinity] : alpha.at(-1)!.slice(-2)
  const logLikelihood = logSum(ends)
  const share = (t: number, k: number) =>
    all
      .filter((s) => states[s] === k)
      .reduce((sum, s) => sum + Math.exp(alpha[t]![s]! + beta[t]![s]! - logLikelihood), 0)
  return { logLikelihood, shares: frames.map((own, t) => own.map((_, k) => share(t, k))) }
}

/** Labellings that are looked at one by one. */
const few = 5000

/** The op's outputs: losses [N], and their gradients by the logits [T, N, K]. */
export function ctcOutputs(inputs: readonly NDArray[], blank: number): [NDArray, NDArray] {
  const [logits, labels, labelLengths, frameLengths] = inputs as [NDArray, NDArray, NDArray, NDArray]
  const [most = 0, , classes = 1] = logits.shape
  const rows = Array.from(labelLengths.data, (count, n) => {
    const frames = Array.from({ length: frameLengths.data[n]! }, (_, t) => {
      const own = Array.from({ length: classes }, (_, k) => at(logits, t, n, k))
      const total = logSum(own)
      return own.map((x) => x - total)
    })
    const row = { frames, labels: Array.from({ length: count }, (_, i) => at(labels, n, i)), blank }
    const isLabel = (k: number) => k >= 0 && k < classes && k !== blank
    const fits = count >= 0 && count <= labels.shape[1]! && frameLengths.data[n]! >= 0 && frames.length <= most
    if (!fits || !row.labels.every(isLabel)) throw new Error(`expected lengths and labels that may be, at row ${n}`)
    return { frames, ...(classes ** frames.length <= few ? byAlignments(row) : byRecursion(row)) }
  })
  const slope = ([t = 0, n = 0, k = 0]: readonly number[]) => {
    const { frames, shares, logLikelihood } = rows[n]!
    if (t >= frames.length || logLikelihood === -Infinity) return 0
    return Math.exp(frames[t]![k]!) - shares[t]![k]!
  }
  return [fill(labelLengths.shape, ([n = 0]) => 0 - rows[n]!.logLikelihood), fill(logits.shape, slope)]
}
