// Sound as frames: where each frame of a row lies, which frames a row of so many samples has, and the samples of all frames.
// A row's frames depend on its own samples alone, whatever it is padded with.
import { constant, type Shape, ShapeError, type Tensor } from '../../graph/index.js'
import { knownLengths } from '../../ops/sequence-mask.js'
import {
  add,
  cast,
  div,
  floor,
  gather,
  lessEqual,
  maximum,
  minimum,
  mul,
  ones,
  reshape,
  sub,
  sum,
  transpose,
  unfold,
} from '../../ops/index.js'
import { typeText } from '../check.js'

/**
 * Where frames lie:
 * - `inside`: the first at the first sample, and no frame that reaches beyond the last (HTK; Kaldi's `snip-edges`);
 * - `reflect`: a frame for each shift, around its middle; beyond either end stand the samples before it in reverse, the outermost among
 *   them (Kaldi without `snip-edges`);
 * - `centre`: frame t is centred at t shifts; beyond either end stand the samples before it in reverse, without the outermost (torchaudio
 *   and librosa).
 */
export type Edges = 'inside' | 'reflect' | 'centre'

/** How sound is cut. Extents are samples. */
export interface Framing {
  readonly length: number
  readonly shift: number
  /** Points of the Fourier transform: what `centre` centres. */
  readonly points: number
  readonly edges: Edges
}

/** Frames of a batch, and which of them there are. */
export interface Frames {
  /** The samples of each frame, f32 [T, N, length]. */
  readonly frames: Tensor<'f32'>
  /** Which frames each row has, u8 [T, N]; undefined: all. */
  readonly mask: Tensor<'u8'> | undefined
  /** How many, i32 [N]. */
  readonly lengths: Tensor<'i32'>
}

/** Places that are mirrored are counted in f32, which holds a half beside each of these. */
const mostMirrored = 8_000_000

const halved = (n: number): number => Math.floor(n / 2)

/** The place of the first sample of frame 0; below 0 for one that begins before the sound. */
function firstSample({ length, shift, points, edges }: Framing): number {
  if (edges === 'inside') return 0
  if (edges === 'reflect') return halved(shift) - halved(length)
  return halved(points - length) - halved(points)
}

/** How many samples a row must have for frame t to be there. */
function needed({ length, shift, edges }: Framing, t: number): number {
  if (edges === 'inside') return t * shift + length
  if (edges === 'reflect') return Math.max(1, (t + 1) * shift - halved(shift))
  return Math.max(1, t * shift)
}

/** How many frames a row of so many samples has. */
export function framesOf(framing: Framing, samples: number): number {
  const { shift } = framing
  if (samples < needed(framing, 0)) return 0
  // One past the last: `needed` grows by a shift with each frame from the second on.
  if (samples < needed(framing, 1)) return 1
  return 2 + Math.floor((samples - needed(framing, 1)) / shift)
}

/**
 * Cuts sound: samples f32 [S, N], of which row n has the first lengths[n], i32 [N].
 * @throws ShapeError in the name of `where`, for samples of another type or too few for a frame
 */
export function framed(
  samples: Tensor<'f32'>,
  lengths: Tensor<'i32'> | undefined,
  framing: Framing,
  where: string,
): Frames {
  expectSamples(samples, framing, where)
  const [extent = 1, rows = 1] = samples.shape
  if (lengths !== undefined && typeText(lengths) !== `i32[${rows}]`) {
    throw new ShapeError(`${where}: expected lengths of i32[${rows}], got ${typeText(lengths)}`)
  }
  const { length, shift, edges } = framing
  const steps = framesOf(framing, extent)
  const line = edges === 'inside' ? transpose(samples, [1, 0]) : reflected(samples, lengths, framing, steps)
  const frames = unfold(reshape(line, [rows, 1, 1, line.shape[1] ?? 1]), { kernel: [1, length], stride: [1, shift] })
  if (lengths === undefined) {
    return { frames, mask: undefined, lengths: constant('i32', [rows], steps) }
  }
  const known = reshape(knownLengths(lengths, extent), [1, rows])
  const need = constant(
    'i32',
    [steps, 1],
    Array.from({ length: steps }, (_, t) => needed(framing, t)),
  )
  const mask: Tensor<'u8'> = lessEqual<readonly number[], readonly number[]>(need, known)
  return { frames, mask, lengths: cast(sum(cast(mask, 'f32'), 0), 'i32') }
}

function expectSamples(samples: Tensor, framing: Framing, where: string): void {
  if (samples.dtype !== 'f32' || samples.rank !== 2) {
    throw new ShapeError(`${where}: expected samples of f32[S, N], got ${typeText(samples)}`)
  }
  const [extent = 1] = samples.shape
  const least = needed(framing, 0)
  if (extent < least) throw new ShapeError(`${where}: expected at least ${least} samples, got ${typeText(samples)}`)
  if (framing.edges === 'inside' || extent <= mostMirrored) return
  throw new ShapeError(`${where}: expected at most ${mostMirrored} samples, got ${typeText(samples)}`)
}

/** [N, P]: all samples that the frames of each row span, those beyond its ends mirrored. */
function reflected(
  samples: Tensor<'f32'>,
  lengths: Tensor<'i32'> | undefined,
  framing: Framing,
  steps: number,
): Tensor<'f32'> {
  const [extent = 1, rows = 1] = samples.shape
  const first = firstSample(framing)
  const span = (steps - 1) * framing.shift + framing.length
  const place = constant(
    'f32',
    [1, span],
    Array.from({ length: span }, (_, i) => first + i),
  )
  const known = lengths === undefined ? mul(ones([rows]), extent) : cast(lengths, 'f32')
  const last = sub(reshape(maximum<'f32', Shape>(known, 1), [rows, 1]), 1)
  // Mirrors stand at both ends, so that what is seen repeats: after 2 L samples, or after 2 (L - 1) where the outermost are seen once.
  const again = framing.edges === 'centre' ? maximum<'f32', Shape>(mul(last, 2), 1) : add(mul(last, 2), 2)
  const turns = floor(div<'f32', Shape, Shape>(add(place, 0.5), again))
  const within = sub<'f32', Shape, Shape>(place, mul<'f32', Shape, Shape>(turns, again))
  const back = sub<'f32', Shape, Shape>(framing.edges === 'centre' ? again : sub(again, 1), within)
  const own = cast(minimum<'f32', Shape, Shape>(within, back), 'i32')
  const row = constant(
    'i32',
    [rows, 1],
    Array.from({ length: rows }, (_, n) => n),
  )
  const index = add<'i32', Shape, Shape>(mul(own, rows), row)
  return reshape(gather(reshape(samples, [extent * rows, 1]), index), [rows, span])
}
