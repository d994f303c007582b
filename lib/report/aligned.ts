// Aligned columns for the terminal.

/** Rows as lines: the first `left` columns to the left, the others to the right. */
export function alignedLines(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((text, i) => (i < left ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** A share of a whole in percent. */
export function shareOf(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`
}

/** A share of 1 as a bar of at most `width` characters, to an eighth of one. */
export function barOf(share: number, width: number): string {
  const eighths = Math.round(share * width * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]!
}
