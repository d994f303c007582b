// Cepstra: the cosine transform of the logarithms of filter banks.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import { constant, type Tensor } from '../../graph/index.js'
import { concat, reshape } from '../../ops/index.js'
import { type FilterOptions, filterSchema, type SpeechConvention } from './conventions.js'
import { product } from './fourier.js'
import { type FrameLayer, frameLayer } from './frame-layer.js'
import { LogFilters } from './log-filters.js'

/** Options of `mfcc`. */
export interface MfccOptions extends FilterOptions {
  /**
   * What stands for the level of a frame beside the cepstra from the first on: the zeroth cepstrum, the raw energy, or nothing. It stands
   * last in HTK, else first. Default: `energy` in Kaldi, `none` in HTK, `c0` in torchaudio.
   */
  readonly zeroth?: 'c0' | 'energy' | 'none'
  /** Numbers for each frame, that of the level among them. Default: 12 and that of the level; 40 in torchaudio. */
  readonly coefficients?: number
  /** L: cepstrum n is multiplied by 1 + L / 2 sin(pi n / L); 0: none is. Default: 22; 0 in torchaudio. */
  readonly lifter?: number
}

const schema: Schema<MfccOptions> = {
  ...filterSchema,
  zeroth: is.oneOf('c0', 'energy', 'none'),
  coefficients: is.whole(1),
  lifter: is.notNegative,
}

const usual = {
  kaldi: { zeroth: 'energy', lifter: 22 },
  htk: { zeroth: 'none', lifter: 22 },
  torchaudio: { zeroth: 'c0', lifter: 0 },
} as const satisfies Readonly<Record<SpeechConvention, MfccDefaults>>

interface MfccDefaults {
  readonly zeroth: NonNullable<MfccOptions['zeroth']>
  readonly lifter: number
}

/**
 * Mel-frequency cepstral coefficients: samples f32 [S, N] -> f32 [T, N, coefficients].
 * @throws as `filterBanks`; OstrichError `ERR_OPTION` for more coefficients than there are filters.
 * @see Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition"; Young et al., "The HTK
 * book", 5.6.
 * @example nn.mfcc({ convention: 'htk', rate: 16000, zeroth: 'c0' })
 */
export function mfcc(options: MfccOptions): FrameLayer {
  expectOptions<MfccOptions>('nn.mfcc', options, schema)
  const { convention, name } = options
  const { zeroth = usual[convention].zeroth, lifter = usual[convention].lifter } = options
  const usualCount = convention === 'torchaudio' ? 40 : zeroth === 'none' ? 12 : 13
  const coefficients = options.coefficients ?? usualCount
  const filters = new LogFilters(options, 'nn.mfcc')
  const first = zeroth === 'c0' ? 0 : 1
  const cepstra = zeroth === 'energy' ? coefficients - 1 : coefficients
  if (first + cepstra > filters.count) {
    const most = filters.count - first + coefficients - cepstra
    const expected = `expected at most ${most} of ${filters.count} filters`
    throw new OstrichError('ERR_OPTION', `nn.mfcc[coefficients]: ${expected}, got ${coefficients}`)
  }
  const all = Array.from({ length: cepstra }, (_, i) => first + i)
  // HTK has the zeroth behind the others, and as large as they are.
  const ordered = zeroth === 'c0' && convention === 'htk' ? [...all.slice(1), 0] : all
  const columns = ordered.map((n) => waveOf(n, filters.count, lifter, convention === 'htk'))
  const transform = Array.from({ length: filters.count }, (_, m) => columns.map((column) => column[m]!)).flat()
  return frameLayer({
    ...{ kind: 'mfcc', name, framing: filters.framing, features: coefficients },
    compute: (frames) => {
      const [steps = 1, rows = 1] = frames.shape
      const squares = filters.squares(frames)
      const parts: Tensor<'f32'>[] = []
      if (cepstra > 0) {
        parts.push(product(filters.logarithms(squares), constant('f32', [filters.count, cepstra], transform)))
      }
      if (zeroth === 'energy') parts.push(filters.energy('raw', squares))
      return reshape(concat(convention === 'htk' ? parts : parts.toReversed(), 1), [steps, rows, coefficients])
    },
  })
}

/** What each filter counts in cepstrum n, liftered. */
function waveOf(n: number, filters: number, lifter: number, asHtk: boolean): number[] {
  const size = Math.sqrt((n === 0 && !asHtk ? 1 : 2) / filters)
  const lift = lifter > 0 ? 1 + (lifter / 2) * Math.sin((Math.PI * n) / lifter) : 1
  return Array.from({ length: filters }, (_, m) => size * lift * Math.cos((Math.PI * n * (m + 0.5)) / filters))
}
