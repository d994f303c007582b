// Spectra of frames of sound, and the logarithms of what filters over them let through.
import { expectOptions, is } from '../../base/index.js'
import { concat, reshape, sqrt, square } from '../../ops/index.js'
import { type FilterOptions, filterSchema, spectrumOf, type SpectrumOptions, spectrumSchema } from './conventions.js'
import { fourier, fourierMatrix } from './fourier.js'
import { type FrameLayer, frameLayer } from './frame-layer.js'
import { type Energy, LogFilters, powers } from './log-filters.js'

/** Options of `filterBanks`. */
export interface FilterBanksOptions extends FilterOptions {
  /**
   * Adds the energy of a frame: the logarithm of the sum of the squares of its samples as they come (`raw`), or after pre-emphasis and window
   * (`windowed`). It stands first in Kaldi, else last. Default: none.
   */
  readonly energy?: Energy
}

/**
 * Logarithms of what triangular filters, evenly spaced in mel, let through of the spectrum of each frame: samples f32 [S, N] ->
 * f32 [T, N, filters], and one number more with `energy`.
 * @throws OstrichError `ERR_OPTION`, for filters without a point of the spectrum too; ShapeError when traced, for samples of another type
 * or fewer than a frame has.
 * @see Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition"; Young et al., "The HTK
 * book", 5.4.
 * @example nn.filterBanks({ convention: 'kaldi', rate: 16000, filters: 80 })
 */
export function filterBanks(options: FilterBanksOptions): FrameLayer {
  expectOptions<FilterBanksOptions>('nn.filterBanks', options, { ...filterSchema, energy: is.oneOf('raw', 'windowed') })
  const { energy, convention, name } = options
  const filters = new LogFilters(options, 'nn.filterBanks')
  const features = filters.count + (energy === undefined ? 0 : 1)
  return frameLayer({
    ...{ kind: 'filterBanks', name, framing: filters.framing, features },
    compute: (frames) => {
      const [steps = 1, rows = 1] = frames.shape
      const squares = filters.squares(frames)
      const banks = filters.logarithms(squares)
      if (energy === undefined) return reshape(banks, [steps, rows, features])
      const own = filters.energy(energy, squares)
      return reshape(concat(convention === 'kaldi' ? [own, banks] : [banks, own], 1), [steps, rows, features])
    },
  })
}

/**
 * The spectrum of each frame: samples f32 [S, N] -> f32 [T, N, points / 2 + 1], squares of magnitudes, or magnitudes with `power: 1`.
 * @throws as `filterBanks`.
 * @example nn.spectrogram({ convention: 'kaldi', rate: 8000 })
 */
export function spectrogram(options: SpectrumOptions): FrameLayer {
  expectOptions('nn.spectrogram', options, spectrumSchema)
  const spec = spectrumOf(options, 'nn.spectrogram')
  const { framing, power } = spec
  const matrix = fourierMatrix({ ...spec, points: framing.points })
  const features = Math.floor(framing.points / 2) + 1
  return frameLayer({
    ...{ kind: 'spectrogram', name: options.name, framing, features },
    compute: (frames) => {
      const both = powers(square(fourier(frames, matrix)))
      return reshape(power === 2 ? both : sqrt(both), [frames.shape[0] ?? 1, frames.shape[1] ?? 1, features])
    },
  })
}
