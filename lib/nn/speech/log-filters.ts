// What filter banks and cepstra have in common: the logarithms of what triangular filters let through, and the energy of a frame.
import { constant, read, type Shape, type Tensor, Variable } from '../../graph/index.js'
import { add, concat, log, maximum, mean, mul, reshape, sqrt, square, sub, sum } from '../../ops/index.js'
import { type FilterOptions, filtersOf, spectrumOf, type SpectrumSpec } from './conventions.js'
import { fourier, fourierMatrix, product } from './fourier.js'
import type { Framing } from './framing.js'
import { melFilters } from './mel.js'

/**
 * The energy of a frame, the logarithm of the sum of the squares of its samples: `raw`, as they come (less their mean, where that is
 * taken away); `windowed`, after pre-emphasis and window.
 */
export type Energy = 'raw' | 'windowed'

/** Silence has an energy, too. */
const leastEnergy = 2 ** -23

/** Squares of the cosine and sine parts of frames, and the frames themselves. */
interface Squares {
  readonly frames: Tensor<'f32'>
  /** f32 [T N, 2 bins] */
  readonly squares: Tensor<'f32'>
}

/** The way from frames to logarithms. */
export class LogFilters {
  readonly framing: Framing
  /** How many filters there are. */
  readonly count: number
  readonly #spec: SpectrumSpec
  readonly #floor: number
  readonly #offset: number
  readonly #fourier: Variable<'f32'>
  readonly #filters: Variable<'f32'>

  /** @throws OstrichError `ERR_OPTION` in the name of `where`: options are of their kinds */
  constructor(options: FilterOptions, where: string) {
    const spec = spectrumOf(options, where)
    const { points } = spec.framing
    const { filters, floor, offset } = filtersOf(options, points, where)
    this.framing = spec.framing
    this.count = filters.filters
    this.#spec = spec
    this.#floor = floor
    this.#offset = offset
    this.#fourier = fourierMatrix({ ...spec, points })
    this.#filters = filterMatrix(Math.floor(points / 2) + 1, this.count, melFilters(filters, where), spec.power === 2)
  }

  /** Of the samples of frames f32 [T, N, length]. */
  squares(frames: Tensor<'f32'>): Squares {
    return { frames, squares: square(fourier(frames, this.#fourier)) }
  }

  /** The logarithm of what each filter lets through, f32 [T N, count]. */
  logarithms({ squares }: Squares): Tensor<'f32'> {
    // Filters see cosine and sine parts alike, so that squares need no sum of their own.
    const seen = this.#spec.power === 2 ? squares : sqrt(powers(squares))
    const through = product(seen, read(this.#filters))
    const floored = this.#floor > 0 ? maximum<'f32', Shape>(through, this.#floor) : through
    return log(this.#offset > 0 ? add<'f32', Shape>(floored, this.#offset) : floored)
  }

  /** The energy of each frame, f32 [T N, 1]. */
  energy(kind: Energy, { frames, squares }: Squares): Tensor<'f32'> {
    const total = kind === 'raw' ? this.#rawEnergy(frames) : product(squares, this.#weights())
    return log(maximum<'f32', Shape>(total, leastEnergy))
  }

  #rawEnergy(frames: Tensor<'f32'>): Tensor<'f32'> {
    const { removeMean, scale } = this.#spec
    const level = removeMean ? sub<'f32', Shape, Shape>(frames, mean(frames, -1, { keepDims: true })) : frames
    return mul(reshape(sum(square(level), -1), [-1, 1]), scale * scale)
  }

  /** What each square counts in the sum over a whole turn, of which a spectrum has half (Parseval). */
  #weights(): Tensor<'f32'> {
    const { points } = this.framing
    const bins = Math.floor(points / 2) + 1
    const once = (k: number) => k === 0 || 2 * k === points
    const each = Array.from({ length: 2 * bins }, (_, i) => (once(i % bins) ? 1 : 2) / points)
    return constant('f32', [2 * bins, 1], each)
  }
}

/** Squares of magnitudes, f32 [T N, bins]. */
export function powers(squares: Tensor<'f32'>): Tensor<'f32'> {
  const [rows = 1, both = 2] = squares.shape
  return sum(reshape(squares, [rows, 2, both / 2]), 1)
}

/** Filters as memory that all programs share: [bins, count], or once for cosines and once more for sines. */
function filterMatrix(bins: number, count: number, values: Float64Array, twice: boolean): Variable<'f32'> {
  const init = () => {
    const one = constant('f32', [bins, count], Array.from(values))
    return twice ? concat([one, one], 0) : one
  }
  const shape: Shape = [twice ? 2 * bins : bins, count]
  return new Variable<'f32'>({ label: 'filters', dtype: 'f32', shape, role: 'scratch', init })
}
