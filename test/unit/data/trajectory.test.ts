// Paths of moving digits, against hand-worked ones: steps, edges, and directions drawn at random.
import { describe, expect, it } from 'vitest'
import { PhiloxStream } from '../../../lib/data/index.js'
import { drawPath, FREE } from '../../../lib/data/video/trajectory.js'

/** A stream of chosen numbers of [0, 1). */
function stream(...values: readonly number[]): PhiloxStream {
  const words = values.map((value) => Math.floor(value * 2 ** 32))
  return { next: () => words.shift()! } as unknown as PhiloxStream
}

function path(frames: number, ...values: readonly number[]): number[] {
  const out = new Uint8Array(2 * frames)
  drawPath(frames, stream(...values), out, 0)
  return [...out]
}

describe('drawPath', () => {
  it('steps before the first frame, a tenth of the room, and goes back from an edge', () => {
    // x from 0.56, to the right; y stays at 0.5: the direction is (1, 0), as (0.75, 0.5) of the unit square is (0.5, 0) of the disc.
    const places = path(8, 0.56, 0.5, 0.75, 0.5)
    const xs = places.filter((_, i) => i % 2 === 0)
    // 0.66, 0.76, 0.86, 0.96, 1 (it would be 1.06), 0.9, 0.8, 0.7, times 36 and cut.
    expect(xs).toEqual([23, 27, 30, 34, 36, 32, 28, 25])
    expect(places.filter((_, i) => i % 2 === 1)).toEqual(Array(8).fill(18))
  })

  it('goes back from the top as well, and on both axes at once in a corner', () => {
    // To the left and up by 0.0707 at each step, from (0.05, 0.05): 0 at once, then 0.0707, 0.1414.
    expect(path(3, 0.05, 0.05, 0.25, 0.25)).toEqual([0, 0, 2, 2, 5, 5])
  })

  it('draws directions again that are outside of the disc', () => {
    // (0.99, 0.99) is in a corner of the square. The next points straight down.
    expect(path(2, 0.5, 0.5, 0.99, 0.99, 0.5, 0.9)).toEqual([18, 21, 18, 25])
  })

  it('stays in the room, and goes in all directions alike', () => {
    const draws = new PhiloxStream(7, 0, 0)
    const quarters = [0, 0, 0, 0, 0, 0, 0, 0]
    let [far, moves] = [0, 0]
    const out = new Uint8Array(40)
    for (let i = 0; i < 4000; i++) {
      drawPath(20, draws, out, 0)
      far = Math.max(far, ...out)
      const [dx, dy] = [out[2]! - out[0]!, out[3]! - out[1]!]
      const inside = [0, 1, 2, 3].every((at) => out[at]! > 4 && out[at]! < FREE - 4)
      if (!inside) continue
      moves++
      quarters[Math.floor(((Math.atan2(dy, dx) + Math.PI) / (2 * Math.PI)) * 7.999)]!++
      // 3.6 pixels, each end cut to whole ones.
      expect(Math.abs(Math.hypot(dx, dy) - 3.6)).toBeLessThan(1.5)
    }
    expect(far).toBe(FREE)
    // An eighth each: 5 deviations.
    for (const quarter of quarters) expect(Math.abs(quarter - moves / 8)).toBeLessThan(5 * Math.sqrt(moves * 0.11))
  })
})
