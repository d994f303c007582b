// Triangular filters over a spectrum, evenly spaced in mel: the scale of how high a tone sounds (Stevens, Volkmann & Newman 1937). All
// on the host, in double precision.
import { OstrichError } from '../../base/index.js'

/** Vocal tract length normalisation: frequencies between `low` and `high`, Hz, are divided by `factor`. */
export interface Warp {
  readonly factor: number
  readonly low: number
  readonly high: number
}

/** What filters are made of. Frequencies are Hz. */
export interface FilterSpec {
  readonly rate: number
  readonly points: number
  readonly filters: number
  readonly low: number
  readonly high: number
  /** `htk`: 1127 ln(1 + f / 700); `slaney`: linear below 1 kHz, logarithmic above. */
  readonly scale: 'htk' | 'slaney'
  /** Whether a filter falls off in straight lines over mel, or over Hz. */
  readonly slopes: 'mel' | 'hertz'
  /** Each filter divided by half its width in Hz, so that all have one area. */
  readonly sameArea: boolean
  /** HTK rounds where filters begin and end, so that a point next to either end is left out, and bends a warp elsewhere. */
  readonly asHtk: boolean
  readonly warp: Warp | undefined
}

interface Scale {
  readonly mel: (hertz: number) => number
  readonly hertz: (mel: number) => number
}

const logStep = Math.log(6.4) / 27

const scales: Readonly<Record<FilterSpec['scale'], Scale>> = {
  htk: { mel: (f) => 1127 * Math.log1p(f / 700), hertz: (m) => 700 * Math.expm1(m / 1127) },
  // Slaney 1998, "Auditory toolbox": 15 mel are 1 kHz, and 27 steps more a factor of 6.4.
  slaney: {
    mel: (f) => (f < 1000 ? (3 * f) / 200 : 15 + Math.log(f / 1000) / logStep),
    hertz: (m) => (m < 15 ? (200 * m) / 3 : 1000 * Math.exp(logStep * (m - 15))),
  },
}

/** Where a frequency lies once it is warped: divided by the factor in the middle, in straight lines from there to both ends. */
function warped(f: number, { factor, low, high }: Warp, { low: from, high: to, asHtk }: FilterSpec): number {
  if (f < from || f > to) return f
  const bend = 2 / (1 + 1 / factor)
  const lower = low * (asHtk ? bend : Math.max(1, factor))
  const upper = high * (asHtk ? bend : Math.min(1, factor))
  if (f < lower) return from + ((lower / factor - from) / (lower - from)) * (f - from)
  if (f < upper) return f / factor
  return to + ((to - upper / factor) / (to - upper)) * (f - to)
}

/**
 * The filters, [points / 2 + 1, filters] row-major: what each point of a spectrum counts in each.
 * @throws OstrichError `ERR_OPTION` for filters so narrow that one has no point, where slopes are over mel
 */
export function melFilters(spec: FilterSpec, where: string): Float64Array {
  const { rate, points, filters, low, high, slopes } = spec
  const bins = Math.floor(points / 2) + 1
  const width = rate / points
  const { mel, hertz } = scales[spec.scale]
  const [first, last] = [mel(low), mel(high)]
  // Corner i of filter i - 1's end, filter i's middle, filter i + 1's beginning.
  const corners = Array.from({ length: filters + 2 }, (_, i) => first + (i * (last - first)) / (filters + 1))
  const hertzOf = (m: number) => (spec.warp === undefined ? hertz(m) : warped(hertz(m), spec.warp, spec))
  const inHertz = corners.map(hertzOf)
  const over = slopes === 'hertz' ? inHertz : inHertz.map(mel)
  const used = usedPoints(spec, bins, width)
  const all = new Float64Array(bins * filters)
  for (let k = used.first; k <= used.last; k++) {
    const x = slopes === 'hertz' ? k * width : mel(k * width)
    for (let i = 0; i < filters; i++) {
      const [left, middle, right] = [over[i]!, over[i + 1]!, over[i + 2]!]
      const weight = Math.min((x - left) / (middle - left), (right - x) / (right - middle))
      const area = spec.sameArea ? 2 / (inHertz[i + 2]! - inHertz[i]!) : 1
      if (weight > 0) all[k * filters + i] = weight * area
    }
  }
  if (slopes === 'mel') expectPoints(all, spec, where)
  return all
}

/** HTK and Kaldi leave out the last point; HTK rounds where it begins and ends, too, so that a point near either is left out. */
function usedPoints({ low, high, slopes, asHtk }: FilterSpec, bins: number, width: number) {
  const last = slopes === 'mel' ? bins - 2 : bins - 1
  if (!asHtk) return { first: 0, last }
  const first = Math.max(1, Math.floor(low / width + 1.5))
  return { first, last: Math.min(last, Math.floor(high / width + 0.5) - 1) }
}

function expectPoints(all: Float64Array, { filters, points, low, high }: FilterSpec, where: string): void {
  const used = new Set<number>()
  for (const [i, weight] of all.entries()) if (weight > 0) used.add(i % filters)
  if (used.size === filters) return
  const empty = Array.from({ length: filters }, (_, i) => i).find((i) => !used.has(i))!
  const expected = `expected filters that have a point of ${points} each, from ${low} to ${high} Hz`
  throw new OstrichError('ERR_OPTION', `${where}[filters]: ${expected}, got ${filters}, of which ${empty} has none`)
}
