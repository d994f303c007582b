// Structural similarity and peak signal-to-noise ratio beside scikit-image, errors of frames and their mean beside worked numbers.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import {
  encodeGif,
  meanFrame,
  peakSignalToNoise,
  readVideo,
  structuralSimilarity,
  type Video,
  videoWindows,
} from '../../../lib/data/index.js'
import { ErrorCurves } from '../../../lib/data/video/frame-errors.js'

interface Golden {
  readonly name: string
  readonly height: number
  readonly width: number
  readonly range: number
  readonly similarity: number
  readonly noise: number
  readonly a: readonly number[]
  readonly b: readonly number[]
}

const goldens = JSON.parse(
  readFileSync(new URL('../../golden/video/similarity.json', import.meta.url), 'utf8'),
) as readonly Golden[]

describe('as scikit-image', () => {
  test.each(goldens)('$name', ({ height, width, range, similarity, noise, a, b }) => {
    expect(structuralSimilarity(a, b, { height, width, range })).toBeCloseTo(similarity, 12)
    expect(peakSignalToNoise(a, b, { range })).toBeCloseTo(noise, 12)
  })

  it('is 1 for the same frame, and infinitely above noise', () => {
    const { a, height, width } = goldens[0]!
    expect(structuralSimilarity(a, a, { height, width })).toBeCloseTo(1, 12)
    expect(peakSignalToNoise(a, a)).toBe(Infinity)
  })

  it('refuses frames that do not fit', () => {
    const flat = new Float32Array(49)
    expect(() => structuralSimilarity(flat, flat, { height: 49, width: 1 })).toThrow(
      'structuralSimilarity: expected frames of 7 x 7 or more, got 1 x 49',
    )
    expect(() => structuralSimilarity(flat, new Float32Array(48), { height: 7, width: 7 })).toThrow(
      'expected two frames of 49 numbers, got 49 and 48',
    )
    expect(() => peakSignalToNoise(flat, new Float32Array(50))).toThrow(
      'expected two frames of 50 numbers, got 49 and 50',
    )
    expect(() => structuralSimilarity(flat, flat, { height: 7, width: 7, rang: 1 } as never)).toThrow(
      'did you mean range?',
    )
  })
})

describe('errors of frames', () => {
  it('are sums over pixels and means over sequences, frame by frame', () => {
    const errors = new ErrorCurves(2)
    // Two frames of two pixels.
    errors.add([0.5, 0.25, 1, 0], Uint8Array.of(255, 0, 255, 0))
    errors.add([0.5, 0.5, 0, 0.5], Uint8Array.of(0, 255, 51, 255))
    const { crossEntropy, squaredError, absoluteError } = errors.means()
    expect(crossEntropy[0]).toBeCloseTo((-Math.log(0.5) - Math.log(0.75) - 2 * Math.log(0.5)) / 2, 12)
    // Of the second frame the first sequence is right to within 1e-7, the second is held for black and is not.
    expect(crossEntropy[1]).toBeCloseTo((-0.2 * Math.log(1e-7) - Math.log(0.5)) / 2, 5)
    expect([...squaredError].map((value) => value.toFixed(6))).toEqual(['0.406250', '0.145000'])
    expect([...absoluteError].map((value) => value.toFixed(6))).toEqual(['0.875000', '0.350000'])
  })
})

describe('videos', () => {
  const data = Uint8Array.from({ length: 4 * 3 * 5 }, (_, i) => (i * 37) % 256)
  const video: Video = { data, frames: 4, channels: 1, height: 3, width: 5 }

  it('have a mean of the frames that follow', async () => {
    const set = videoWindows([video], { given: 1, future: 2 })
    const mean = await meanFrame(set)
    // Two sequences: frames 1 and 2, and frames 2 and 3.
    const wanted = Array.from({ length: 15 }, (_, i) => (data[15 + i]! + 2 * data[30 + i]! + data[45 + i]!) / (4 * 255))
    expect([...mean].map((value) => value.toFixed(5))).toEqual(wanted.map((value) => value.toFixed(5)))
    const first = await meanFrame(set, { sequences: 1 })
    expect(first[0]).toBeCloseTo((data[15]! + data[30]!) / (2 * 255), 6)
  })

  it('are written as a GIF that sharp reads, frame by frame', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ostrich-gif-'))
    try {
      const path = join(folder, 'video.gif')
      await writeFile(path, await encodeGif(video, { delay: 100 }))
      const again = await readVideo(path)
      expect(again).toMatchObject({ frames: 4, channels: 1, height: 3, width: 5 })
      for (const [i, value] of again.data.entries()) expect(Math.abs(value - data[i]!)).toBeLessThan(24)
    } finally {
      await rm(folder, { recursive: true })
    }
    await expect(encodeGif({ ...video, frames: 5 })).rejects.toThrow(
      'encodeGif: expected a video of [5, 1, 3, 5], got 60 bytes',
    )
    await expect(encodeGif(video, { delay: 1 })).rejects.toThrow('encodeGif[delay]')
  })
})
