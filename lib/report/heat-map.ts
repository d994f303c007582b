// Numbers of frames as an image: time to the right, the first number of a frame at the bottom, the larger the brighter.
import type { Bytes } from './png.js'

/** Columns that an image has at most; those of a long sound are means over several frames. */
const WIDEST = 3000
/** What lies so far below the loudest is as dark as silence: in natural logarithms of power 60 dB. */
const SPAN = 6 * Math.log(10)

/** From dark to bright, evenly spaced: five of the colours of matplotlib's map `magma`. */
const ramp = [
  [0, 0, 4],
  [81, 18, 124],
  [183, 55, 121],
  [252, 137, 97],
  [252, 253, 191],
] as const
/** What is no number must not look like silence. */
const noNumber = [128, 128, 128] as const

/**
 * The image of values [T, bands] of at least one frame, each column one frame or the mean of several. Infinite values are as dark or as bright
 * as any; one that is no number is grey.
 */
export function heatMap(values: Float32Array, bands: number): Bytes {
  const frames = values.length / bands
  const width = Math.min(frames, WIDEST)
  const [low, high] = rangeOf(values)
  const data = new Uint8ClampedArray(3 * bands * width)
  for (let column = 0; column < width; column++) {
    const [from, to] = [Math.floor((column * frames) / width), Math.floor(((column + 1) * frames) / width)]
    for (let band = 0; band < bands; band++) {
      let sum = 0
      for (let t = from; t < to; t++) sum += values[t * bands + band]!
      const colour = colourOf((sum / (to - from) - low) / (high - low))
      const at = (bands - 1 - band) * width + column
      for (const [channel, value] of colour.entries()) data[channel * bands * width + at] = Math.round(value)
    }
  }
  return { data, channels: 3, height: bands, width }
}

/** The darkest and the brightest value, which are not one. */
function rangeOf(values: Float32Array): [number, number] {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least < most) return [Math.max(least, most - SPAN), most]
  return least === most ? [most - 1, most] : [0, 1]
}

function colourOf(share: number): readonly number[] {
  if (Number.isNaN(share)) return noNumber
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1)
  const i = Math.min(ramp.length - 2, Math.floor(place))
  return ramp[i]!.map((value, channel) => value + (place - i) * (ramp[i + 1]![channel]! - value))
}
