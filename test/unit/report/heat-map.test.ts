// Numbers of frames as an image: which pixel is which number, and what is drawn of numbers that are none.
import { describe, expect, it } from 'vitest'
import { heatMap } from '../../../lib/report/heat-map.js'

const [dark, bright, grey] = [
  [0, 0, 4],
  [252, 253, 191],
  [128, 128, 128],
]

/** The colour of a number of a frame. */
function pixel({ data, height, width }: ReturnType<typeof heatMap>, column: number, band: number): number[] {
  return [0, 1, 2].map((channel) => data[(channel * height + height - 1 - band) * width + column]!)
}

describe('heatMap', () => {
  it('has time to the right and the first number of a frame at the bottom', () => {
    const image = heatMap(Float32Array.of(0, 1, 2, 3, 4, 8), 3)
    expect([image.width, image.height, image.channels]).toEqual([2, 3, 3])
    expect(pixel(image, 0, 0)).toEqual(dark)
    expect(pixel(image, 1, 2)).toEqual(bright)
    // Half of the way from 0 to 8.
    expect(pixel(image, 1, 1)).toEqual([183, 55, 121])
    const sums = [0, 1, 2].map((band) => pixel(image, 0, band).reduce((a, b) => a + b))
    expect(sums).toEqual(sums.toSorted((a, b) => a - b))
  })

  it('has what is 60 dB below the loudest as dark as silence', () => {
    const image = heatMap(Float32Array.of(100, 100 - 6 * Math.log(10) - 0.01, -1000, 100 - 3 * Math.log(10)), 1)
    expect([0, 1, 2].map((column) => pixel(image, column, 0))).toEqual([bright, dark, dark])
    expect(pixel(image, 3, 0)).toEqual([183, 55, 121])
  })

  it('has at most 3000 columns, each the mean of its frames', () => {
    const frames = 9000
    const image = heatMap(
      Float32Array.from({ length: 2 * frames }, (_, i) => (i % 2 === 0 ? Math.floor(i / 2) % 3 : 2)),
      2,
    )
    expect([image.width, image.data.length]).toEqual([3000, 3 * 2 * 3000])
    const middle = [183, 55, 121]
    for (const column of [0, 1, 1500, 2999]) {
      expect(pixel(image, column, 0)).toEqual(middle)
      expect(pixel(image, column, 1)).toEqual(bright)
    }
  })

  it('has grey for what is no number, and infinite ones as dark or bright as any', () => {
    const image = heatMap(Float32Array.of(NaN, -Infinity, 0, 5, Infinity), 1)
    expect([0, 1, 2, 3, 4].map((column) => pixel(image, column, 0))).toEqual([grey, dark, dark, bright, bright])
  })

  it.each([
    ['silence without a floor', [-Infinity, -Infinity], [dark, dark]],
    ['one value', [3, 3], [bright, bright]],
    ['no number at all', [NaN, NaN], [grey, grey]],
  ])('draws %s', (_, values, colours) => {
    const image = heatMap(Float32Array.from(values), 1)
    expect([0, 1].map((column) => pixel(image, column, 0))).toEqual(colours)
  })
})
