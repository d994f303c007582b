// Chances of symbols over time as few points, and the peaks among them. What is no number is left out.

/** A place of a line: its frame and the chance there. */
export interface ChancePoint {
  readonly frame: number
  readonly chance: number
}

/** What is drawn of a symbol: pieces of its line, where it is above next to nothing. */
export interface SymbolLine {
  readonly symbol: number
  readonly pieces: readonly (readonly ChancePoint[])[]
}

/** Where a symbol is likelier than around it. */
export interface Peak extends ChancePoint {
  readonly symbol: number
}

/** A chance below it is not told from 0 in a picture. */
const NOTHING = 0.01
/** A peak is at least so high, and ends where the chance is half of it. */
const PEAK = 0.2
/** Places along the time at most, and points of all lines about. */
const [PLACES, POINTS] = [4000, 60_000]

/**
 * The lines of chances [T, classes], number 0 first. Of several frames that are drawn as one point it is the highest, in its own place, so that no
 * peak is lowered or moved.
 */
export function linesOf(chances: Float32Array, classes: number): SymbolLine[] {
  const frames = chances.length / classes
  const highest = new Float32Array(classes)
  for (const [i, chance] of chances.entries()) if (chance > highest[i % classes]!) highest[i % classes] = chance
  const drawn = Array.from(highest.keys()).filter((symbol) => symbol === 0 || highest[symbol]! >= NOTHING)
  const places = Math.min(frames, PLACES, Math.max(100, Math.floor(POINTS / drawn.length)))
  return drawn.map((symbol) => {
    const points = Array.from({ length: places }, (_, i) => {
      const [from, to] = [Math.floor((i * frames) / places), Math.floor(((i + 1) * frames) / places)]
      return highestOf(chances, classes, symbol, from, to)
    })
    return { symbol, pieces: piecesOf(points, symbol === 0 ? 0 : NOTHING) }
  })
}

/** The highest of some frames; NaN where none is a number. */
function highestOf(chances: Float32Array, classes: number, symbol: number, from: number, to: number): ChancePoint {
  let best = { frame: from, chance: NaN }
  for (let frame = from; frame < to; frame++) {
    const chance = chances[frame * classes + symbol]!
    if (!(chance <= best.chance) && !Number.isNaN(chance)) best = { frame, chance }
  }
  return best
}

/** Runs of points of at least `least`, each with its neighbours, so that lines rise from the bottom and fall back to it. */
function piecesOf(points: readonly ChancePoint[], least: number): ChancePoint[][] {
  const reaches = (i: number) => (points[i]?.chance ?? 0) >= least
  const pieces: ChancePoint[][] = []
  let piece: ChancePoint[] = []
  for (const [i, point] of points.entries()) {
    const shown = !Number.isNaN(point.chance) && (reaches(i - 1) || reaches(i) || reaches(i + 1))
    if (shown) piece.push(point)
    if (piece.length > 0 && (!shown || i === points.length - 1)) {
      pieces.push(piece)
      piece = []
    }
  }
  return pieces
}

/** The peaks of every symbol of chances [T, classes] but number 0, the highest first. */
export function peaksOf(chances: Float32Array, classes: number): Peak[] {
  const all = Array.from({ length: classes - 1 }, (_, i) => peaksOfOne(chances, classes, i + 1))
  return all.flat().sort((a, b) => b.chance - a.chance)
}

/** A line that has fallen to half of a peak has another one where it is at twice its lowest since. */
function peaksOfOne(chances: Float32Array, classes: number, symbol: number): Peak[] {
  const peaks: Peak[] = []
  const frames = chances.length / classes
  let climbing: Peak | undefined
  let lowest = 0
  for (let frame = 0; frame < frames; frame++) {
    const value = chances[frame * classes + symbol]!
    const chance = Number.isNaN(value) ? 0 : value
    const here = { symbol, frame, chance }
    if (climbing === undefined) {
      lowest = Math.min(lowest, chance)
      if (chance >= PEAK && chance >= 2 * lowest) climbing = here
    } else if (chance > climbing.chance) climbing = here
    else if (chance < climbing.chance / 2) {
      peaks.push(climbing)
      climbing = undefined
      lowest = chance
    }
  }
  return climbing === undefined ? peaks : [...peaks, climbing]
}
