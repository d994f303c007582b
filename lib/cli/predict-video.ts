// ostrich predict-video: frames in, the frames that follow out, as an animated GIF beside those that came.
import { writeFile } from 'node:fs/promises'
import { encodeGif, frameSequences, type FrameSequences, readVideo, type Video, videoWindows } from '../data/index.js'
import { ErrorCurves } from '../data/video/frame-errors.js'
import { framePredictor, load } from '../infer/index.js'
import { recipes } from '../recipes/index.js'
import { filmPage } from '../report/film-page.js'
import { inspectCheckpoint } from '../train/index.js'
import { command, named, UsageError } from './command.js'
import { type Sequence, sequencesOf } from './frame-measures.js'
import { checkpointOf, loadOptionsOf, placeOptions, recipeIn } from './language-model.js'

/** Sequences on a page. */
const ON_PAGE = 10
/** A pixel's side in the picture, and the pixels between two panels of it. */
const [SCALE, GAP] = [3, 2]
/** Brightness of what is no frame. */
const BLANK = 48

export const predictVideo = command({
  name: 'predict-video',
  summary: 'predict the frames that follow in a video',
  arguments: ['<checkpoint|run>'],
  about: [
    'Reads a GIF, an animated WebP, a folder of images, or a NumPy file of sequences (u8 [frames, sequences, height, width]), and writes an',
    'animated GIF of three pictures: the frames that the network was given, those that followed, and its prediction of these. A video is',
    'scaled to the frames that the network knows, and cut into sequences of as many as it is given and predicts.',
  ].join('\n'),
  options: {
    from: { type: 'text', value: 'path', help: 'the frames' },
    sequence: { type: 'whole', help: 'which sequence of it, from 0 (default 0)' },
    out: { type: 'text', value: 'file.gif', help: 'what is written (default prediction.gif)' },
    page: {
      type: 'text',
      value: 'file.html',
      help: `show it and up to ${ON_PAGE - 1} sequences that follow, on a page`,
    },
    ...placeOptions,
    json: { type: 'flag', help: 'print the errors of each predicted frame as JSON' },
  },
  examples: [
    'ostrich predict-video runs/2026-01-31T09-05-00-moving-mnist-small --from ball.gif',
    'ostrich predict-video last.safetensors --from mnist_test_seq.npy --sequence 7 --out seven.gif',
    'ostrich predict-video last.safetensors --from mnist_test_seq.npy --page ten.html',
  ],
  run: async ({ from, sequence = 0, out = 'prediction.gif', page, json, ...place }, [file = ''], output) => {
    if (from === undefined) throw new UsageError('predict-video expects --from, the frames, got none')
    const path = await checkpointOf(file)
    const name = recipeIn((await inspectCheckpoint(path))?.config)
    const expected = `${path}: expected a checkpoint of a network that predicts frames`
    if (name === undefined) throw new UsageError(`${expected}, got one of no recipe`)
    const { net, forecaster, fields, example } = named('recipe', name, recipes).build()
    const target = fields?.['target']
    if (forecaster === undefined || target === undefined) throw new UsageError(`${expected}, got one of ${name}`)
    const [given, ...frame] = example.shape as readonly [number, number, number, number]
    const [future = 1] = target.shape
    const set = await framesIn(from, { given, future, frame })
    if (sequence >= set.length) {
      throw new UsageError(`--sequence expects 0 to ${set.length - 1}, as ${from} has ${set.length}, got ${sequence}`)
    }
    await using model = await load(path, net, loadOptionsOf(example, place))
    using predictor = framePredictor(model, net, { given, frame })
    const count = page === undefined ? 1 : Math.min(ON_PAGE, set.length - sequence)
    const indices = Array.from({ length: count }, (_, i) => sequence + i)
    const sequences = await sequencesOf(set, indices)
    const predicted = await predictor.predict(sequences.map(({ seen }) => seen))
    const films = await Promise.all(
      sequences.map(async (one, i) => {
        const film = filmOf(one, predicted[i]!, frame)
        const errors = new ErrorCurves(future)
        errors.add(predicted[i]!, one.truth)
        return { index: indices[i]!, film, gif: await encodeGif(film, { delay: 150 }), errors: errors.means() }
      }),
    )
    const [first] = films
    await writeFile(out, first!.gif)
    if (page !== undefined) {
      const about = [
        `${path}, ${from}`,
        'Left: what the network was given. Middle: what followed. Right: its prediction.',
      ]
      const shown = films.map(({ index, film, gif, errors }) => ({
        ...{ gif, width: film.width, height: film.height },
        caption: `sequence ${index}: ${meanOf(errors.crossEntropy).toFixed(1)} nats per frame`,
      }))
      await writeFile(page, filmPage({ title: `What ${name} predicts`, about, films: shown }))
      output.note(`${page} shows ${count}`)
    }
    if (json === true) {
      const rows = films.map(({ index, errors }) => ({
        sequence: index,
        ...Object.fromEntries(
          Object.entries(errors).map(([key, values]: [string, Float64Array]) => [key, [...values]]),
        ),
      }))
      output.line(JSON.stringify(rows, undefined, 2))
    } else {
      const nats = meanOf(first!.errors.crossEntropy).toFixed(1)
      output.line(`${out}: sequence ${sequence} of ${set.length}, ${nats} nats per frame`)
    }
    return 0
  },
})

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length

interface Frames {
  readonly given: number
  readonly future: number
  /** Channels, height and width. */
  readonly frame: readonly [number, number, number]
}

/** The sequences of a file or folder. @throws UsageError for a file of other sequences; DataError for what is no video */
async function framesIn(path: string, { given, future, frame }: Frames): Promise<FrameSequences> {
  const [channels, height, width] = frame
  if (!path.endsWith('.npy')) {
    const video = await readVideo(path, { channels: channels === 1 ? 1 : 3, size: [height, width] })
    return videoWindows([video], { given, future, every: given + future })
  }
  const file = await frameSequences(path, { given })
  const got = [...file.fields.x.shape, file.fields.target.shape[0]]
  const wanted = [given, ...frame, future]
  if (got.every((extent, i) => extent === wanted[i])) return file
  await file.close()
  const shown = (all: readonly number[]): string => `${all[0]! + all.at(-1)!} frames of ${all[3]} x ${all[2]}`
  throw new UsageError(`--from expects sequences of ${shown(wanted)}, as the network knows them, got ${shown(got)}`)
}

/** Three pictures side by side: what was seen, and its last frame from then on; what follows; what was predicted. */
function filmOf({ seen, truth }: Sequence, predicted: Float32Array, frame: Frames['frame']): Video {
  const [channels, height, width] = frame
  const pixels = channels * height * width
  const [given, future] = [seen.length / pixels, truth.length / pixels]
  const bytes = Uint8Array.from(predicted, (value) => Math.round(255 * value))
  const [wide, high] = [SCALE * (3 * width + 2 * GAP), SCALE * height]
  const data = new Uint8Array((given + future) * channels * high * wide).fill(BLANK)
  for (let t = 0; t < given + future; t++) {
    const panels = [
      [seen, Math.min(t, given - 1)],
      [truth, t - given],
      [bytes, t - given],
    ] as const
    for (const [place, [from, at]] of panels.entries()) {
      if (at < 0) continue
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < high; y++) {
          const row = ((t * channels + c) * high + y) * wide + SCALE * place * (width + GAP)
          const source = at * pixels + (c * height + Math.floor(y / SCALE)) * width
          for (let x = 0; x < SCALE * width; x++) data[row + x] = from[source + Math.floor(x / SCALE)]!
        }
      }
    }
  }
  return { data, frames: given + future, channels: channels === 1 ? 1 : 3, height: high, width: wide }
}
