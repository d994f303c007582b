// How a measure is read: which direction is better, and how a value is written.

/** How a measure is written: as a share in per cent, or with so many digits behind the point and a unit. */
export type Format = 'percent' | { readonly digits: number; readonly unit?: string }

/** What a person must know to read a measure. */
export interface MeasureInfo {
  /** Whether more or less of it is better. */
  readonly better: 'more' | 'less'
  readonly format: Format
  /** What it is called. Default: its name. */
  readonly title?: string
}

/** `0.9812` as `98.12 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

/** A value as it is written, without its name. */
export function formatMeasure(value: number, format: Format): string {
  if (format === 'percent') return percent(value)
  const { digits, unit } = format
  return unit === undefined ? value.toFixed(digits) : `${value.toFixed(digits)} ${unit}`
}

/** A value and what it is of: `accuracy 98.12 %`, or `2.087 bits`, where the unit says it. */
export function namedMeasure(name: string, value: number, { format, title = name }: MeasureInfo): string {
  const own = typeof format === 'object' && format.unit !== undefined
  return own ? formatMeasure(value, format) : `${title} ${formatMeasure(value, format)}`
}

/** Whether one value is at least as good as another. */
export function isAsGood(value: number, other: number, { better }: MeasureInfo): boolean {
  return better === 'more' ? value >= other : value <= other
}
