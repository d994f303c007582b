// What a network that predicts frames is measured by at the end, besides what its training measures: errors of each frame ahead, and those of
// what knows nothing of motion: the mean of the training frames, and the last frame that was seen, once more.
import { type Dataset, type FrameSequences, meanFrame, type Text } from '../data/index.js'
import { ErrorCurves, type ErrorsAhead } from '../data/video/frame-errors.js'
import { type Compiler, framePredictor } from '../infer/index.js'
import type { Plan } from '../recipes/index.js'
import { alignedLines, grouped } from '../report/index.js'
import type { FinalMeasures } from './reading.js'

/** Sequences that each frame is measured over: the first ones. */
const SEQUENCES = 1000
/** Sequences at once. */
const BATCH = 16
/** A frame that is seen is the next one to within half a level of grey at best: else a black pixel that is not would cost all. */
const GREY = 1 / 510

const predictors = { network: 'the network', mean: 'mean of training frames', last: 'last frame seen' } as const

/** Measures each frame ahead of the first sequences; undefined where they are no sequences of frames. */
export async function measureFrames(
  of: Compiler,
  { net }: Plan,
  { train, held }: { readonly train: Dataset | Text; readonly held: Dataset | Text },
): Promise<FinalMeasures | undefined> {
  if (!isFilm(train) || !isFilm(held)) return undefined
  const [given, ...frame] = held.fields.x.shape
  const [future] = held.fields.target.shape
  const mean = await meanFrame(train)
  const pixels = mean.length
  const count = Math.min(SEQUENCES, held.length)
  const curves = { network: new ErrorCurves(future), mean: new ErrorCurves(future), last: new ErrorCurves(future) }
  const means = repeated(mean, future)
  using predictor = framePredictor(of, net, { given, frame, batch: BATCH })
  for (let from = 0; from < count; from += BATCH) {
    const sequences = await sequencesOf(
      held,
      Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i),
    )
    const predicted = await predictor.predict(sequences.map(({ seen }) => seen))
    for (const [i, { seen, truth }] of sequences.entries()) {
      const last = Float32Array.from(seen.subarray((given - 1) * pixels), (byte) =>
        Math.min(Math.max(byte / 255, GREY), 1 - GREY),
      )
      curves.network.add(predicted[i]!, truth)
      curves.mean.add(means, truth)
      curves.last.add(repeated(last, future), truth)
    }
  }
  const found = Object.entries(curves).map(([name, curve]) => [name, curve.means()] as const)
  return {
    metrics: {},
    told: [
      `errors of the first ${grouped(count)} sequences by frames ahead, sums over pixels:`,
      ...table(found, future),
    ],
    about: {
      ahead: {
        sequences: count,
        ...Object.fromEntries(
          found.map(([name, { crossEntropy, squaredError, absoluteError }]) => [
            name,
            {
              ...{ crossEntropy: [...crossEntropy], squaredError: [...squaredError] },
              absoluteError: [...absoluteError],
            },
          ]),
        ),
      },
    },
  }
}

/** A sequence: the frames that are seen and those that follow, u8. */
export interface Sequence {
  readonly seen: Uint8Array
  readonly truth: Uint8Array
}

/** Sequences of a data set, each by itself. */
export async function sequencesOf(set: FrameSequences, indices: readonly number[]): Promise<readonly Sequence[]> {
  const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1)
  const { x, target } = set.fields
  const found: Sequence[] = []
  for (const index of indices) {
    const [seen, truth] = [new Uint8Array(sizeOf(x.shape)), new Uint8Array(sizeOf(target.shape))]
    await set.gather([index], { x: seen, target: truth })
    found.push({ seen, truth })
  }
  return found
}

const repeated = (frame: Float32Array, times: number): Float32Array =>
  Float32Array.from({ length: times * frame.length }, (_, i) => frame[i % frame.length]!)

/** Cross-entropy by frame, with the means of all errors. */
function table(found: readonly (readonly [string, ErrorsAhead])[], future: number): string[] {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const head = ['nats by frame', ...Array.from({ length: future }, (_, t) => `${t + 1}`), 'mean', 'squared', 'absolute']
  const rows = found.map(([name, { crossEntropy, squaredError, absoluteError }]) => [
    predictors[name as keyof typeof predictors],
    ...Array.from(crossEntropy, (nats) => nats.toFixed(0)),
    mean(crossEntropy).toFixed(1),
    mean(squaredError).toFixed(2),
    mean(absoluteError).toFixed(2),
  ])
  return alignedLines([head, ...rows], 1).map((line) => `  ${line}`)
}

const isFilm = (set: Dataset | Text): set is FrameSequences & Dataset =>
  'fields' in set &&
  ['x', 'target'].every((name) => set.fields[name]?.dtype === 'u8' && set.fields[name].shape.length === 4)
