// Sequences of one's own videos: every run of so many frames is one.
import { expectKind, expectOptions, is } from '../../base/index.js'
import { checkIndices } from '../arrays.js'
import { wholeNumber } from '../batches.js'
import type { FieldArray } from '../dataset.js'
import { DataError } from '../errors.js'
import { expectRoom, rowsOf } from '../rows.js'
import { frameFields, type FrameSequences, partsOf } from './sequences.js'
import type { Video } from './video.js'

/** Options of `videoWindows`. */
export interface VideoWindowsOptions {
  /** Frames that are seen. */
  readonly given: number
  /** Frames that follow. */
  readonly future: number
  /** Frames from the beginning of a sequence to that of the next. Default 1. */
  readonly every?: number
}

/**
 * All runs of `given` + `future` frames of videos of one size, as a data set of sequences; frames are not copied until they are read.
 * @throws DataError where videos are of several sizes, or none is so long; OstrichError `ERR_OPTION`
 * @example
 * const sequences = videoWindows([await readVideo('ball.gif', { size: 64 })], { given: 10, future: 10 })
 */
export function videoWindows(videos: readonly Video[], options: VideoWindowsOptions): FrameSequences {
  expectKind('videoWindows', 'videos', is.listOf(is.object, 'videos'), videos)
  expectOptions('videoWindows', options, {
    given: is.needed(is.anything),
    future: is.needed(is.anything),
    every: is.anything,
  })
  const { given, future, every = 1 } = options
  for (const [name, value] of Object.entries({ given, future, every })) wholeNumber('videoWindows', name, value, 1)
  const [first] = videos
  if (first === undefined) throw new DataError('videoWindows: expected videos, got none')
  const { channels, height, width } = first
  const other = videos.find((one) => one.channels !== channels || one.height !== height || one.width !== width)
  if (other !== undefined) {
    const shape = (one: Video): string => `[${one.channels}, ${one.height}, ${one.width}]`
    throw new DataError(`videoWindows: expected videos of one size, ${shape(first)}, got ${shape(other)}`)
  }
  const places = videos.flatMap(({ frames }, video) => {
    const count = Math.max(0, Math.floor((frames - given - future) / every) + 1)
    return Array.from({ length: count }, (_, i) => ({ video, frame: i * every }))
  })
  if (places.length === 0) {
    const longest = Math.max(...videos.map(({ frames }) => frames))
    throw new DataError(`videoWindows: expected a video of ${given + future} frames or more, got at most ${longest}`)
  }
  const fields = frameFields(given, future, [channels, height, width])
  const bytes = channels * height * width
  return {
    length: places.length,
    fields,
    gather(indices, out) {
      checkIndices(indices, places.length)
      for (const { name, spec, first, count } of partsOf(fields)) {
        const to = (out as Partial<Readonly<Record<string, FieldArray>>>)[name]
        if (to === undefined) continue
        expectRoom(name, spec, to, indices.length)
        const rows = rowsOf(spec, to)
        for (const [row, index] of indices.entries()) {
          const { video, frame } = places[index]!
          const { data } = videos[video]!
          for (let t = 0; t < count; t++) {
            const from = (frame + first + t) * bytes
            to.set(data.subarray(from, from + bytes), (t * rows + row) * bytes)
          }
        }
      }
    },
  }
}
