// A table of measured numbers beside published ones: each cell has a name, and one number for each seed.

/** What a cell's numbers are: shares shown in percent, or distortions. */
export type Unit = 'share' | 'distortion'

/** What a table holds, before anything is measured. */
export interface Layout {
  readonly title: string
  /** What must be said beside it. */
  readonly notes?: readonly string[]
  readonly columns: readonly { readonly title: string; readonly unit: Unit }[]
  readonly rows: readonly {
    readonly title: string
    /** The name of what was measured, with the published number where there is one; undefined for an empty cell. */
    readonly cells: readonly (Wanted | undefined)[]
  }[]
}

/** A measured number by name, and what was published: shares from 0 to 1. */
export interface Wanted {
  readonly of: string
  readonly published?: number | undefined
}

/** A measured cell. */
export interface Cell {
  readonly values: readonly number[]
  readonly mean: number
  /** Standard deviation over the seeds; 0 where there is one. */
  readonly spread: number
  readonly published?: number
}

/** A measured table. */
export interface Table {
  readonly title: string
  readonly notes: readonly string[]
  readonly columns: Layout['columns']
  readonly rows: readonly { readonly title: string; readonly cells: readonly (Cell | undefined)[] }[]
}

/** Numbers by name, one for each seed. */
export type Measured = ReadonlyMap<string, readonly number[]>

/** Mean and standard deviation (n - 1) of the numbers that are not NaN. */
export function summarize(all: readonly number[]): Pick<Cell, 'values' | 'mean' | 'spread'> {
  const values = all.filter((value) => !Number.isNaN(value))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { values: [...all], mean, spread: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 }
}

/** The table of a layout. @throws Error where a cell was not measured */
export function measuredTable({ title, notes = [], columns, rows }: Layout, measured: Measured): Table {
  const cell = (wanted: Wanted | undefined): Cell | undefined => {
    if (wanted === undefined) return undefined
    const values = measured.get(wanted.of)
    if (values === undefined) throw new Error(`${title}: expected ${wanted.of} to be measured, got nothing`)
    return { ...summarize(values), ...(wanted.published !== undefined && { published: wanted.published }) }
  }
  return { title, notes, columns, rows: rows.map((row) => ({ title: row.title, cells: row.cells.map(cell) })) }
}

/** A number as it is shown. */
export function shown(value: number, unit: Unit): string {
  return unit === 'share' ? (100 * value).toFixed(Math.abs(value) < 0.0995 ? 1 : 0) : value.toFixed(3)
}

/** `28 ±3 (28.9)`: mean, spread where there are several seeds, and what was published. */
export function shownCell(cell: Cell | undefined, unit: Unit): string {
  if (cell === undefined) return ''
  const spread = cell.values.length > 1 ? ` ±${shown(cell.spread, unit)}` : ''
  const published =
    cell.published === undefined ? '' : ` (${unit === 'share' ? trimmed(100 * cell.published) : cell.published})`
  return `${shown(cell.mean, unit)}${spread}${published}`
}

function trimmed(value: number): string {
  return Number(value.toFixed(2)).toString()
}
