// Images that experiments are made on, and the wrong labels that they are to get.
import { type Dataset, type Fields, permutation, PhiloxStream } from '../data/index.js'

/** Images in [0, 1] with their labels. */
export interface Examples {
  readonly count: number
  /** f32 [count, D] */
  readonly x: Float32Array
  readonly labels: Int32Array
}

/** Bytes as numbers in [0, 1], by a loop: Float32Array.from with a function takes tens of times as long. */
export function unitRange(bytes: Uint8Array): Float32Array {
  const x = new Float32Array(bytes.length)
  for (let i = 0; i < x.length; i++) x[i] = bytes[i]! / 255
  return x
}

/** The examples of a set of bytes at these places. */
export async function gatherExamples(set: Dataset<Fields<'x' | 'target'>>, places: Uint32Array): Promise<Examples> {
  const count = places.length
  const size = set.fields.x.shape.reduce((product, extent) => product * extent, 1)
  const bytes = new Uint8Array(count * size)
  const labels = new Int32Array(count)
  await set.gather(places, { x: bytes, target: labels })
  return { count, x: unitRange(bytes), labels }
}

/** `count` examples of a set of bytes, drawn by a seed. */
export function drawExamples(set: Dataset<Fields<'x' | 'target'>>, count: number, seed: number): Promise<Examples> {
  return gatherExamples(set, permutation(set.length, seed, 0).subarray(0, count))
}

/** Which label an image is to get. */
export type LabelRule = 'random' | 'runner-up' | 'fixed'

/** Keeps the draws of labels apart from other draws of a seed. */
const labelDomain = 0x1abe1

/**
 * For each row of logits a label that is neither its own nor the one that it has: at random by a seed, the likeliest one, or
 * the same for all (where that is not wrong, the next).
 * @throws Error for fewer than three classes, where an image that is seen wrongly leaves none to ask for; for a `fixed` that is none
 */
export function wrongLabels(
  rule: LabelRule,
  { labels }: Pick<Examples, 'labels'>,
  logits: ArrayLike<number>,
  { seed, fixed = 8 }: { readonly seed: number; readonly fixed?: number },
): Int32Array {
  const classes = logits.length / labels.length
  if (classes < 3 || (rule === 'fixed' && !(fixed < classes))) {
    throw new Error(`wrongLabels: expected three classes or more, and one of them, got ${classes} and ${fixed}`)
  }
  const draw = new PhiloxStream(seed, 0, labelDomain)
  return labels.map((label, row) => {
    const own = Array.from({ length: classes }, (_, k) => logits[row * classes + k]!)
    const now = own.indexOf(Math.max(...own))
    const wrong = (k: number) => k !== label && k !== now
    // Drawn for each image whatever the network says, so that all networks are asked for the same label where they can be.
    const drawn = (label + 1 + draw.below(classes - 1)) % classes
    if (rule === 'runner-up') {
      return own.reduce((best, value, k) => (wrong(k) && (best < 0 || value > own[best]!) ? k : best), -1)
    }
    let k = rule === 'random' ? drawn : fixed
    while (!wrong(k)) k = (k + 1) % classes
    return k
  })
}

/** The label with the largest of each row's logits. */
export function predicted(logits: ArrayLike<number>, count: number): Int32Array {
  const classes = logits.length / count
  return Int32Array.from({ length: count }, (_, row) => {
    let best = 0
    for (let k = 1; k < classes; k++) if (logits[row * classes + k]! > logits[row * classes + best]!) best = k
    return best
  })
}

/** Standard normal draws by Box and Muller, the same for the same seed. */
export function normalNoise(length: number, seed: number): Float32Array {
  const words = new PhiloxStream(seed, 1, labelDomain)
  const unit = () => (words.next() + 0.5) / 2 ** 32
  const noise = new Float32Array(length)
  for (let i = 0; i < length; i += 2) {
    const [radius, angle] = [Math.sqrt(-2 * Math.log(unit())), 2 * Math.PI * unit()]
    noise[i] = radius * Math.cos(angle)
    if (i + 1 < length) noise[i + 1] = radius * Math.sin(angle)
  }
  return noise
}

/**
 * x + d, d scaled for each row so that the root of its mean square is `to`, one number or one for each row. Not cut to [0, 1]:
 * a cut would make the distortion smaller than it is called.
 */
export function distorted(
  x: Float32Array,
  d: Float32Array,
  rows: number,
  to: number | ArrayLike<number>,
): Float32Array {
  const size = x.length / rows
  const result = new Float32Array(x.length)
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let i = row * size; i < (row + 1) * size; i++) sum += d[i]! ** 2
    const wanted = typeof to === 'number' ? to : to[row]!
    const factor = sum > 0 && wanted > 0 ? wanted / Math.sqrt(sum / size) : 0
    for (let i = row * size; i < (row + 1) * size; i++) result[i] = x[i]! + factor * d[i]!
  }
  return result
}
