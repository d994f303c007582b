// Errors of predicted frames by how far they lie ahead: summed over the pixels of a frame, means over sequences.

/** Of each frame ahead. */
export interface ErrorsAhead {
  /** Nats. */
  readonly crossEntropy: Float64Array
  readonly squaredError: Float64Array
  readonly absoluteError: Float64Array
}

/** No pixel is held for surer than f32 can tell from certainty: one wrong one would count for infinitely many. */
const SUREST = 1e-7

/** Adds up the errors of sequences of so many frames. */
export class ErrorCurves {
  readonly #sums: ErrorsAhead
  #sequences = 0

  constructor(readonly frames: number) {
    const zeros = () => new Float64Array(frames)
    this.#sums = { crossEntropy: zeros(), squaredError: zeros(), absoluteError: zeros() }
  }

  /** A sequence: predicted pixels from 0 to 1, and bytes, both [frames, ...]. */
  add(predicted: ArrayLike<number>, truth: Uint8Array): void {
    const pixels = truth.length / this.frames
    for (let t = 0; t < this.frames; t++) {
      let [nats, squares, absolute] = [0, 0, 0]
      for (let i = t * pixels; i < (t + 1) * pixels; i++) {
        const wanted = truth[i]! / 255
        const p = predicted[i]!
        const sure = Math.min(Math.max(p, SUREST), 1 - SUREST)
        nats -= wanted * Math.log(sure) + (1 - wanted) * Math.log1p(-sure)
        squares += (p - wanted) ** 2
        absolute += Math.abs(p - wanted)
      }
      this.#sums.crossEntropy[t]! += nats
      this.#sums.squaredError[t]! += squares
      this.#sums.absoluteError[t]! += absolute
    }
    this.#sequences++
  }

  means(): ErrorsAhead {
    const mean = (sums: Float64Array): Float64Array => sums.map((sum) => sum / this.#sequences)
    const { crossEntropy, squaredError, absoluteError } = this.#sums
    return {
      crossEntropy: mean(crossEntropy),
      squaredError: mean(squaredError),
      absoluteError: mean(absoluteError),
    }
  }
}
