// Layers that take sound and give numbers for each frame of it.
import { expectOptions } from '../../base/index.js'
import { ofDType, type Tensor, tracePath } from '../../graph/index.js'
import { aTensor } from '../../ops/operand.js'
import { reshape, where as select } from '../../ops/index.js'
import type { Layer } from '../layer.js'
import { runnable } from '../runnable.js'
import type { Accepts, Features } from '../types.js'
import { type Framing, framed, framesOf } from './framing.js'

/** Sound of N rows, time first: f32 [S, N], full scale -1 to 1. */
export type Samples = Tensor<'f32', [number, number]>

/** What a call may say besides its samples. */
export interface FrameCall {
  /** How many samples each row has, from the first on: i32 [N], from 0 to S. Default: S. */
  readonly lengths?: Tensor<'i32'>
}

/** Numbers for each frame. */
export interface Framed {
  /** f32 [T, N, D]; zeros where a row has no frame. */
  readonly output: Tensor<'f32'>
  /** How many frames each row has: i32 [N]. */
  readonly lengths: Tensor<'i32'>
  /** Which they are, u8 [T, N]; undefined: all. */
  readonly mask: Tensor<'u8'> | undefined
}

/** A layer from sound to frames: as a function it gives its output alone. */
export interface FrameLayer extends Layer<Samples, Features> {
  /** D: numbers for each frame. */
  readonly features: number
  /** Samples from the start of a frame to that of the next. */
  readonly shift: number
  /** How many frames so many samples have. */
  readonly frames: (samples: number) => number
  /**
   * The layer over rows of lengths of their own; a row's frames depend on its own samples alone.
   * @throws OstrichError `ERR_OPTION`; ShapeError for samples or lengths of other extents. Lengths outside 0 to S are the run-time error
   * ERR_DATA.
   * @example const { output, lengths } = banks.run(samples, { lengths: sampleCounts })
   */
  readonly run: <X extends Tensor>(samples: X & Accepts<Samples, X>, call?: FrameCall) => Framed
}

/** What such a layer is made of. */
export interface FrameComputation {
  readonly kind: string
  readonly name: string | undefined
  readonly framing: Framing
  readonly features: number
  /** The samples of frames f32 [T, N, length] -> f32 [T, N, features]. */
  readonly compute: (frames: Tensor<'f32'>) => Tensor<'f32'>
}

export function frameLayer({ kind, name, framing, features, compute }: FrameComputation): FrameLayer {
  const own = runnable<FrameCall, Framed>({
    kind,
    name,
    compute: (x, call) => {
      const where = `${kind}[${tracePath()}]`
      const samples = ofDType(x, 'f32', `${where}[samples]`)
      const { frames, mask, lengths } = framed(samples, call?.lengths, framing, where)
      const all = compute(frames)
      const output = mask === undefined ? all : select<'f32'>(reshape(mask, [...mask.shape, 1]), all, 0)
      return call === undefined ? output : { output, lengths, mask }
    },
    expectCall: (call) => {
      expectOptions<FrameCall>(`nn.${kind}[run]`, call, { lengths: aTensor })
    },
  })
  const describe = (value: unknown) => ({ value, enumerable: true })
  return Object.defineProperties(own, {
    features: describe(features),
    shift: describe(framing.shift),
    frames: describe((samples: number) => framesOf(framing, samples)),
  }) as unknown as FrameLayer
}
