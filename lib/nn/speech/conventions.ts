// Who says what a filter bank is: the options of each tool, and how options become what is computed.
import { expectOptions, is, OstrichError, type Schema } from '../../base/index.js'
import type { Edges, Framing } from './framing.js'
import type { FilterSpec, Warp } from './mel.js'
import { type WindowName, windowNames, windowOf } from './windows.js'

/**
 * Whose features are meant; it decides every option that is not given:
 * - `kaldi`: `compute-fbank-feats` and `compute-mfcc-feats` without dither; torchaudio.compliance.kaldi is the same;
 * - `htk`: HCopy;
 * - `torchaudio`: MelSpectrogram, and MFCC with `log_mels`.
 */
export type SpeechConvention = 'kaldi' | 'htk' | 'torchaudio'

/** Options of everything that begins with the spectra of frames. */
export interface SpectrumOptions {
  /** No default: the same samples mean other numbers in another. */
  readonly convention: SpeechConvention
  /** Samples a second, Hz. */
  readonly rate: number
  /** Of a frame, ms. Default: 25. */
  readonly frameLength?: number
  /** From frame to frame, ms. Default: 10; half a frame in torchaudio. */
  readonly frameShift?: number
  /** Where frames lie. Default: `inside`; `centre` in torchaudio. */
  readonly edges?: Edges
  /** Default: `povey` in Kaldi, `hamming` in HTK, `hann` in torchaudio, there periodic. */
  readonly window?: WindowName
  /** Points of the Fourier transform. Default: the least power of two that holds a frame; in torchaudio a frame. */
  readonly points?: number
  /** Share of the sample before that is taken from each, from 0 to below 1. Default: 0.97; 0 in torchaudio. */
  readonly preEmphasis?: number
  /** Whether the mean of each frame is taken from it. Default: in Kaldi alone. */
  readonly removeMean?: boolean
  /** What samples of full scale 1 are multiplied by. Default: 32768, integers of 16 bits; 1 in torchaudio. */
  readonly scale?: number
  /** 2: squares of magnitudes; 1: magnitudes. Default: 2; 1 in HTK. */
  readonly power?: 1 | 2
  /** In paths; default: that of its kind, `filterBanks1`, `mfcc1`, ... */
  readonly name?: string
}

/** Options of triangular filters over a spectrum. */
export interface FilterOptions extends SpectrumOptions {
  /** How many. Default: 23 in Kaldi, 20 in HTK, 128 in torchaudio. */
  readonly filters?: number
  /** Where the first begins, Hz. Default: 20 in Kaldi, else 0. */
  readonly low?: number
  /** Where the last ends, Hz. Default: half the rate. */
  readonly high?: number
  /** `htk`: 1127 ln(1 + f / 700); `slaney`: linear below 1 kHz, logarithmic above. Default: `htk`. */
  readonly mel?: 'htk' | 'slaney'
  /** Filters divided by half their widths in Hz. Default: false. */
  readonly sameArea?: boolean
  /** Vocal tract length normalisation: frequencies divided by `factor` between `low` and `high` Hz. Default: none. */
  readonly warp?: Warp
  /** What is below it is taken for it before the logarithm. Default: 2^-23 in Kaldi, 1 in HTK, 0 in torchaudio. */
  readonly floor?: number
  /** Added before the logarithm. Default: 0; 1e-6 in torchaudio. */
  readonly offset?: number
}

/** The kinds of the options of spectra. */
export const spectrumSchema: Schema<SpectrumOptions> = {
  convention: is.needed(is.oneOf('kaldi', 'htk', 'torchaudio')),
  rate: is.needed(is.positive),
  frameLength: is.positive,
  frameShift: is.positive,
  edges: is.oneOf('inside', 'reflect', 'centre'),
  window: is.oneOf(...windowNames),
  points: is.whole(2, 4096),
  preEmphasis: is.fraction,
  removeMean: is.flag,
  scale: is.positive,
  power: is.oneOf(1, 2),
  name: is.text,
}

/** The kinds of the options of filters. */
export const filterSchema: Schema<FilterOptions> = {
  ...spectrumSchema,
  filters: is.whole(1, 1024),
  low: is.notNegative,
  high: is.positive,
  mel: is.oneOf('htk', 'slaney'),
  sameArea: is.flag,
  warp: is.object,
  floor: is.notNegative,
  offset: is.notNegative,
}

const shared = { edges: 'inside', preEmphasis: 0.97, scale: 32768, power: 2, low: 0, offset: 0 } as const

const usual = {
  kaldi: { ...shared, window: 'povey', removeMean: true, filters: 23, low: 20, floor: 2 ** -23 },
  htk: { ...shared, window: 'hamming', removeMean: false, power: 1, filters: 20, floor: 1 },
  torchaudio: {
    ...shared,
    edges: 'centre',
    window: 'hann',
    removeMean: false,
    preEmphasis: 0,
    scale: 1,
    filters: 128,
    floor: 0,
    offset: 1e-6,
  },
} as const satisfies Readonly<Record<SpeechConvention, object>>

/** What spectra are computed by. */
export interface SpectrumSpec {
  readonly framing: Framing
  readonly window: readonly number[]
  readonly preEmphasis: number
  readonly removeMean: boolean
  readonly scale: number
  readonly power: 1 | 2
}

/** Samples in so many ms: a part of a sample is dropped, as in Kaldi. */
const samplesIn = (ms: number, rate: number): number => Math.floor((rate * ms) / 1000 + 1e-6)

/** @throws OstrichError `ERR_OPTION` in the name of `where`: options are of their kinds */
export function spectrumOf(options: SpectrumOptions, where: string): SpectrumSpec {
  const { convention, rate, frameLength = 25 } = options
  const own = { ...usual[convention], ...given(options) }
  const length = samplesIn(frameLength, rate)
  const halfFrame = convention === 'torchaudio' ? Math.floor(length / 2) : samplesIn(10, rate)
  const shift = options.frameShift === undefined ? halfFrame : samplesIn(options.frameShift, rate)
  refuse(length >= 2, where, 'frameLength', `2 samples or more at ${rate} Hz`, `${frameLength} ms`)
  refuse(shift >= 1, where, 'frameShift', `a sample or more at ${rate} Hz`, `${options.frameShift ?? 10} ms`)
  const points = options.points ?? (convention === 'torchaudio' ? length : 2 ** Math.ceil(Math.log2(length)))
  refuse(points >= length, where, 'points', `at least the ${length} samples of a frame`, `${points}`)
  refuse(points <= 4096, where, 'frameLength', 'at most 4096 points of a Fourier transform', `${points}`)
  const { edges, scale, preEmphasis, removeMean, power } = own
  const window = windowOf(own.window, length, convention === 'torchaudio').map((value) => value * scale)
  return { framing: { length, shift, points, edges }, window, preEmphasis, removeMean, scale, power }
}

/** What filters, and the logarithm of what they give, are computed by. */
export interface LogFilterSpec {
  readonly filters: FilterSpec
  readonly floor: number
  readonly offset: number
}

const warpSchema: Schema<Warp> = {
  factor: is.needed(is.positive),
  low: is.needed(is.positive),
  high: is.needed(is.positive),
}

/** @throws OstrichError `ERR_OPTION` in the name of `where`: options are of their kinds */
export function filtersOf(options: FilterOptions, points: number, where: string): LogFilterSpec {
  const { convention, rate, mel = 'htk', sameArea = false, warp, high = rate / 2 } = options
  const { filters, low, floor, offset } = { ...usual[convention], ...given(options) }
  refuse(high <= rate / 2, where, 'high', `at most half the rate, ${rate / 2} Hz`, `${high}`)
  refuse(low < high, where, 'low', `less than ${high} Hz, where filters end`, `${low}`)
  refuse(floor > 0 || offset > 0, where, 'floor', 'more than 0, or an offset: silence has no logarithm', `${floor}`)
  if (warp !== undefined) {
    expectOptions(`${where}[warp]`, warp, warpSchema)
    const between = low < warp.low && warp.low < warp.high && warp.high < high
    refuse(between, where, 'warp', `low below high, both between ${low} and ${high} Hz`, `${warp.low} and ${warp.high}`)
  }
  const slopes = convention === 'torchaudio' ? 'hertz' : 'mel'
  const asHtk = convention === 'htk'
  return { filters: { rate, points, filters, low, high, scale: mel, slopes, sameArea, asHtk, warp }, floor, offset }
}

/** The options that are given: an undefined one takes no other's place. */
function given<T extends object>(options: T): { readonly [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { readonly [K in keyof T]: Exclude<T[K], undefined> }
}

function refuse(good: boolean, where: string, option: string, expected: string, got: string): void {
  if (!good) throw new OstrichError('ERR_OPTION', `${where}[${option}]: expected ${expected}, got ${got}`)
}
