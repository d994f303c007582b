// Frames in, the frames that follow out: one program for any number of sequences, compiled when the first come.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { DataError } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import { cast, mul, sigmoid } from '../ops/index.js'
import type { Compiled } from '../train/compiled.js'
import type { Network } from '../train/types.js'
import type { Compiler } from './decoder-types.js'

/** Options of `framePredictor`. */
export interface FramePredictorOptions {
  /** Frames that are seen. */
  readonly given: number
  /** Channels, height and width of a frame. */
  readonly frame: readonly [number, number, number]
  /** Sequences at once, at most. Default: 16. */
  readonly batch?: number
}

/** Frames in, predictions out. Made by `framePredictor`. */
export interface FramePredictor {
  /**
   * Of each sequence u8 [given, channels, height, width] the frames that follow, f32 [future, channels, height, width] from 0 to 1. Calls may
   * overlap; they run in order.
   * @throws DataError for a sequence of another length
   */
  predict(sequences: readonly Uint8Array[]): Promise<readonly Float32Array[]>
  /** Frees the program, behind what is under way; later calls throw `ERR_DISPOSED`. */
  dispose(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

const schema: Schema<FramePredictorOptions> = {
  given: is.needed(is.whole(1)),
  frame: is.needed(is.listOf(is.whole(1), 'extents')),
  batch: is.whole(1),
}

type Program = Compiled<{ readonly frames: Tensor<'f32'> }>

/**
 * Predicts frames with the weights of a session or a loaded model; nothing is compiled before the first sequence.
 * @param net frames f32 [given, N, channels, height, width] from 0 to 1 -> logits f32 [future, N, channels, height, width]
 * @throws OstrichError `ERR_OPTION`
 * @example
 * using predictor = train.framePredictor(model, net, { given: 10, frame: [1, 64, 64] })
 * const [frames] = await predictor.predict([seen])
 */
export function framePredictor(of: Compiler, net: Network, options: FramePredictorOptions): FramePredictor {
  expectKind('framePredictor', 'of', is.withMethods('a session or a model', 'compile'), of)
  expectKind('framePredictor', 'net', is.callable, net)
  expectOptions('framePredictor', options, schema)
  const { given, frame, batch = 16 } = options
  const pixels = frame.reduce((product, extent) => product * extent, 1)
  let program: Promise<Program> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let disposed = false

  function compiled(): Promise<Program> {
    program ??= of.compile(
      (x: Tensor) => ({
        frames: cast(sigmoid(net(mul(cast(x, 'f32'), 1 / 255))), 'f32'),
      }),
      { x: { dtype: 'u8', shape: [given, batch, ...frame] } },
    )
    return program
  }

  /** At most as many sequences as there are rows; what is left of these is black. */
  async function predicted(sequences: readonly Uint8Array[]): Promise<readonly Float32Array[]> {
    const x = new Uint8Array(given * batch * pixels)
    for (const [row, sequence] of sequences.entries()) {
      for (let t = 0; t < given; t++) x.set(sequence.subarray(t * pixels, (t + 1) * pixels), (t * batch + row) * pixels)
    }
    const { frames } = await (await compiled()).run({ x })
    const future = frames.length / (batch * pixels)
    return sequences.map((_, row) => {
      const own = new Float32Array(future * pixels)
      for (let t = 0; t < future; t++) {
        const from = (t * batch + row) * pixels
        own.set(frames.subarray(from, from + pixels), t * pixels)
      }
      return own
    })
  }

  async function all(sequences: readonly Uint8Array[]): Promise<readonly Float32Array[]> {
    const found: Float32Array[] = []
    for (let from = 0; from < sequences.length; from += batch) {
      found.push(...(await predicted(sequences.slice(from, from + batch))))
    }
    return found
  }

  const dispose = (): void => {
    if (disposed) return
    disposed = true
    void turn.then(async () => {
      ;(await program)?.dispose()
    })
  }
  return {
    async predict(sequences) {
      expectKind('predict', 'sequences', is.listOf(is.instance('a Uint8Array', Uint8Array), 'Uint8Arrays'), sequences)
      if (disposed) {
        throw new OstrichError('ERR_DISPOSED', 'framePredictor: expected a live one, got one that was disposed')
      }
      const other = sequences.findIndex(({ length }) => length !== given * pixels)
      if (other >= 0) {
        const expected = `${given} frames of ${frame.join(' x ')}, ${given * pixels} bytes`
        throw new DataError(`predict: expected ${expected}, got ${sequences[other]!.length} as sequence ${other}`)
      }
      const own = sequences.map((sequence) => sequence.slice())
      const done = turn.then(() => all(own))
      turn = done.catch(() => undefined)
      return done
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}
