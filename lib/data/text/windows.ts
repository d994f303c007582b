// A text -> batches for truncated backpropagation through time: N streams, each a contiguous part of the text, read in windows
// of T steps. Time-major, so that a step of all streams is one row: x and target i32 [T, N], target one token ahead of x.
import { expectOptions, is, type Schema } from '../../base/index.js'
import { wholeNumber, type Batch } from '../batches.js'
import type { FieldSpec } from '../dataset.js'
import { DataError } from '../errors.js'
import type { Text } from './text.js'

/** The fields of a window of T steps; `fresh` is 1 where a stream begins anew, and its carried state is taken as 0. */
export function windowFields(steps: number): Readonly<Record<'x' | 'target' | 'fresh', FieldSpec>> {
  return {
    x: { dtype: 'i32', shape: [steps], batchAxis: 1, varies: true },
    target: { dtype: 'i32', shape: [steps], batchAxis: 1, varies: true },
    fresh: { dtype: 'f32', shape: [] },
  }
}

/** Options of `windows`. */
export interface WindowOptions {
  /** Streams, N. */
  readonly streams: number
  /** Steps of a window, T. */
  readonly steps: number
  /** The number to put on the batches. Default 0. */
  readonly epoch?: number
  /** Windows to leave out at the beginning; the streams are not fresh then. Default 0. */
  readonly startStep?: number
  /** Leave out a last window that is short. Default false. */
  readonly dropLast?: boolean
}

/** Whole numbers are looked at one by one. */
const schema: Schema<WindowOptions> = {
  streams: is.anything,
  steps: is.anything,
  epoch: is.anything,
  startStep: is.anything,
  dropLast: is.flag,
}

/** A batch of windows. */
export interface WindowBatch extends Batch<'x' | 'target' | 'fresh'> {
  /** Steps of this window: T, or fewer in the last one. */
  readonly steps: number
}

/**
 * Predictions of each stream: stream n predicts the tokens 1 + n M to (n + 1) M of the text, where M is this number, and so
 * reads one token more than it predicts. At most `streams - 1` tokens at the end of the text are left out, none with one.
 * @throws DataError where the text is too short for so many streams
 */
function predictionsPerStream(tokens: number, streams: number): number {
  wholeNumber('windows', 'streams', streams, 1)
  const each = Math.floor((tokens - 1) / streams)
  if (each >= 1) return each
  throw new DataError(`windows: expected a text of more than ${streams} tokens, for ${streams} streams, got ${tokens}`)
}

/**
 * Windows of an epoch over a text of so many tokens.
 * @throws DataError where there would be none
 * @example windowsPerEpoch(929_589, { streams: 20, steps: 20, dropLast: true }) // 2323
 */
export function windowsPerEpoch(tokens: number, options: WindowOptions): number {
  expectOptions('windows', options, schema)
  const { streams, steps, dropLast = false } = options
  wholeNumber('windows', 'steps', steps, 1)
  const each = predictionsPerStream(tokens, streams)
  const windows = dropLast ? Math.floor(each / steps) : Math.ceil(each / steps)
  if (windows > 0) return windows
  const least = streams * steps + 1
  throw new DataError(
    `windows: expected a text of at least ${least} tokens, for ${streams} streams of ${steps} steps, got ${tokens}`,
  )
}

/**
 * The windows of one epoch, in order. The arrays are reused: they are valid until two further windows were taken.
 * @throws DataError for options out of range, a text that is too short
 * @example for (const { feeds, steps } of windows(ptb.test, { streams: 1, steps: 35 })) ...
 */
export function* windows(text: Text, options: WindowOptions): Generator<WindowBatch, void, undefined> {
  const { streams, steps, epoch = 0, startStep = 0 } = options
  const each = predictionsPerStream(text.tokens.length, streams)
  const count = windowsPerEpoch(text.tokens.length, options)
  wholeNumber('windows', 'startStep', startStep, 0, count)
  const ring = [0, 1, 2].map(() => ({
    x: new Int32Array(steps * streams),
    target: new Int32Array(steps * streams),
    fresh: new Float32Array(streams),
  }))
  for (let step = startStep; step < count; step++) {
    const { x, target, fresh } = ring[step % ring.length]!
    const own = Math.min(steps, each - step * steps)
    for (let stream = 0; stream < streams; stream++) {
      let from = stream * each + step * steps
      for (let to = stream; to < own * streams; to += streams, from++) {
        x[to] = text.tokens[from]!
        target[to] = text.tokens[from + 1]!
      }
    }
    fresh.fill(step === 0 ? 1 : 0)
    const feeds =
      own === steps
        ? { x, target, fresh }
        : { x: x.subarray(0, own * streams), target: target.subarray(0, own * streams), fresh }
    yield { epoch, step, count: streams, steps: own, tokens: streams * own, feeds }
  }
}
