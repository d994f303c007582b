// The colours and the type of pictures and pages, which follow the reader's light or dark theme.

/** The colour of a thing on a light and on a dark ground. */
export type Colour = readonly [light: string, dark: string]

/** What every picture and page has: text, lesser text, lines behind what is drawn, the ground. */
const common: Readonly<Record<string, Colour>> = {
  ink: ['#1f2430', '#e8eaf0'],
  soft: ['#667085', '#9aa3b5'],
  grid: ['#e6e8ee', '#2c3240'],
  back: ['#ffffff', '#14171f'],
}

/** Fonts that the reader's system has. */
export const fonts = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

/**
 * CSS that gives the element `root` the common colours and its own ones as variables: `--ink`, `--soft`, `--grid`, `--back`.
 * @example colours('svg', { loss: ['#2f6fde', '#6ea2ff'] }) // then: .loss { stroke: var(--loss) }
 */
export function colours(root: string, own: Readonly<Record<string, Colour>>): string {
  const all = Object.entries({ ...common, ...own })
  const rule = (theme: 0 | 1): string =>
    `${root} { ${all.map(([name, pair]) => `--${name}: ${pair[theme]}`).join('; ')} }`
  return `${rule(0)}\n  @media (prefers-color-scheme: dark) {\n    ${rule(1)}\n  }`
}
