// What a network heard in sounds as a page: what the picture shows of each, worked out by programs of the loaded model.
import { type Alphabet, resample, type Sound } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import { emissionsOf } from '../infer/ctc/emissions.js'
import type { SoundTranscript, Transcriber } from '../infer/index.js'
import * as nn from '../nn/index.js'
import type { TranscribedSound } from '../report/transcribed-sound.js'
import type { LoadedRecogniser } from './recogniser.js'

/** Filters of the picture, and the milliseconds between its frames. */
const [FILTERS, SHIFT] = [40, 10]

/** What was heard in a sound, with its name. */
export interface HeardSound {
  readonly file: string
  readonly sound: Sound
  readonly transcript: SoundTranscript | undefined
}

/** What a page shows of a sound. */
export async function heardOnPage(
  { model, recogniser: { net, alphabet } }: LoadedRecogniser,
  listen: Transcriber,
  { file, sound, transcript }: HeardSound,
): Promise<TranscribedSound> {
  const { rate } = net
  const { samples } = resample(sound, rate)
  const [heard] = await listen.hear([{ samples, rate }])
  const { logits, shift } = heard!
  return {
    title: file,
    ...{ samples, rate, banks: await banksOf(model, { samples, rate }) },
    chances: { values: chancesOf(alphabet, logits), symbols: alphabet.symbols, shift },
    text: transcript?.text ?? '',
    words: transcript?.words ?? [],
  }
}

async function banksOf(model: LoadedRecogniser['model'], { samples, rate }: Sound): Promise<TranscribedSound['banks']> {
  const layer = nn.filterBanks({ convention: 'kaldi', rate, filters: FILTERS, frameShift: SHIFT, edges: 'reflect' })
  const extents = { samples: { dtype: 'f32', shape: [samples.length, 1] } } as const
  using program = await model.compile((x: Tensor) => ({ banks: layer(x as nn.Samples) }), extents)
  const { banks } = await program.run({ samples })
  return { values: banks, bands: FILTERS, shift: SHIFT / 1000, low: 20, high: rate / 2 }
}

/** Of each symbol in each frame, row-major. */
function chancesOf(alphabet: Alphabet, logits: Float32Array): Float32Array {
  // A sound that is too short for a frame has none.
  if (logits.length === 0) return new Float32Array(0)
  const [emissions] = emissionsOf('heardOnPage', alphabet, logits, {})
  return Float32Array.from(emissions!.values, Math.exp)
}
