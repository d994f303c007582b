// Made-up sound, and features of it written from their definitions in double precision: sample by sample, with nothing shared with lib/nn.
import { type Graph, type Shape, trace } from '../../lib/graph/index.js'
import { interpret } from './interpreter.js'
import { fill, type NDArray } from './ndarray.js'

/** Two tones, one of which rises, over a level: `samples` numbers of full scale 1, other ones for each row. */
export function tones(samples: number, row = 0): number[] {
  return Array.from({ length: samples }, (_, i) =>
    Math.fround(0.02 + 0.3 * Math.sin((0.3 + 0.1 * row) * i) + 0.2 * Math.sin(0.002 * i * i + row)),
  )
}

/** Rows side by side, [S, N], zeros (or `padding`) behind the end of each. */
export function side(rows: readonly (readonly number[])[], samples: number, padding = 0): NDArray {
  return fill([samples, rows.length], ([s, n]) => rows[n!]![s!] ?? padding)
}

/** What variables that hold fixed numbers are set to before the first run, by path. */
export function fixedStates({ states }: Graph): Record<string, NDArray> {
  const own = states.filter(({ variable }) => variable.role === 'scratch')
  return Object.fromEntries(
    own.map(({ name, variable }) => {
      const init = trace({ name: 'init' }, () => ({ value: variable.init() }))
      return [name, interpret(init, {}).fetches['value']!]
    }),
  )
}

/** What is done to a frame. */
export interface FrameRule {
  /** The samples of each frame, in their places. */
  readonly frames: readonly (readonly number[])[]
  readonly points: number
  readonly window: (i: number, samples: number) => number
  readonly preEmphasis: number
  readonly removeMean: boolean
  readonly scale: number
}

/** Squares of magnitudes of the spectrum of each frame, and its energy before and after the window. */
export function spectraOf({ frames, points, window, preEmphasis, removeMean, scale }: FrameRule) {
  return frames.map((frame) => {
    const mean = removeMean ? frame.reduce((sum, x) => sum + x, 0) / frame.length : 0
    const level = frame.map((x) => scale * (x - mean))
    const seen = level.map((x, i) => (x - preEmphasis * level[Math.max(0, i - 1)]!) * window(i, frame.length))
    const powers = Array.from({ length: Math.floor(points / 2) + 1 }, (_, k) => {
      let [re, im] = [0, 0]
      for (const [i, x] of seen.entries()) {
        const angle = (2 * Math.PI * k * i) / points
        re += x * Math.cos(angle)
        im += x * Math.sin(angle)
      }
      return re * re + im * im
    })
    const energyOf = (values: readonly number[]) => Math.log(values.reduce((sum, x) => sum + x * x, 0))
    return { powers, raw: energyOf(level), windowed: energyOf(seen) }
  })
}

/** Frames from sample 0 on that lie within the sound. */
export function framesInside(sound: readonly number[], length: number, shift: number): number[][] {
  const frames: number[][] = []
  for (let start = 0; start + length <= sound.length; start += shift) frames.push(sound.slice(start, start + length))
  return frames
}

/** Triangles over mel by its formula, for each filter a function of frequency. */
export function triangles(filters: number, low: number, high: number): ((hertz: number) => number)[] {
  const mel = (f: number) => 2595 * Math.log10(1 + f / 700)
  const step = (mel(high) - mel(low)) / (filters + 1)
  return Array.from({ length: filters }, (_, i) => (f: number) => {
    const distance = Math.abs(mel(f) - (mel(low) + (i + 1) * step)) / step
    return Math.max(0, 1 - distance)
  })
}

/** Rows of numbers, one row of sound, as [T, 1, D]. */
export function asFrames(rows: readonly (readonly number[])[]): NDArray {
  return fill([rows.length, 1, rows[0]!.length], ([t, , d]) => rows[t!]![d!]!)
}

/** Row n of [T, N, D] up to its length. */
export function rowOf(x: NDArray, n: number, length: number): NDArray {
  const [, rows = 1, features = 1] = x.shape
  const shape: Shape = [length, 1, features]
  return fill(shape, ([t, , d]) => x.data[(t! * rows + n) * features + d!]!)
}
