// Sounds in, what was said in them out: a program for each of a few lengths of sound, compiled when sounds of that length first come, then the
// likeliest path or a prefix beam search. Refuses what is no sound; one of another rate is resampled.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { expectSound, type Sound } from '../data/audio/sound.js'
import { putSamples } from '../data/audio/speech-set.js'
import { bucketOf } from '../data/buckets.js'
import { Alphabet, resample } from '../data/index.js'
import type { Tensor } from '../graph/index.js'
import { cast } from '../ops/index.js'
import type { Compiled } from '../train/compiled.js'
import { Kept } from '../train/kept.js'
import { ctcGreedy } from './ctc/greedy.js'
import { type CtcHypothesis, prefixBeamSearch, type PrefixBeamSearchOptions } from './ctc/prefix-beam-search.js'
import type { Transcript } from './ctc/transcript.js'
import type { Compiler } from './decoder-types.js'

/** What transcribing asks a network for, as `models.speech` has it. */
export interface Listener {
  /** Samples f32 [S, N] of lengths i32 [N] -> logits f32 [T, N, K], and how many frames each row has, i32 [N]. */
  readonly run: (
    samples: Tensor<'f32'>,
    call: { readonly lengths: Tensor<'i32'> },
  ) => { readonly output: Tensor<'f32'>; readonly lengths: Tensor<'i32'> }
  /** Samples a second, Hz. */
  readonly rate: number
  /** Samples from the start of a frame to that of the next. */
  readonly shift: number
  /** Frames of so many samples. */
  readonly frames: (samples: number) => number
}

/** Options of `transcriber`: those of `prefixBeamSearch`, and how sounds are taken. */
export interface TranscriberOptions extends PrefixBeamSearchOptions {
  readonly alphabet: Alphabet
  /** The likeliest symbol of each frame, or the likeliest transcripts. Default: `beam`. */
  readonly search?: 'greedy' | 'beam'
  /** Sounds that the network hears at once, at most. Default: 16. */
  readonly batch?: number
}

/** A word in time. */
export interface SpokenWord {
  readonly text: string
  /** Seconds from the start of the sound, to within a frame. */
  readonly start: number
  readonly end: number
  /** 0 to 1: geometric mean of the probabilities of its symbols over their frames. */
  readonly confidence: number
}

/** What was said in a sound. */
export interface SoundTranscript {
  readonly text: string
  readonly words: readonly SpokenWord[]
  /** As that of a word, over all of them; 1 where there is none. */
  readonly confidence: number
  /** log p of all its paths that stayed in the beam, and what it is ranked by, in nats; of the greedy search, none. */
  readonly logProbability?: number
  readonly score?: number
}

/** What the network said of each frame of a sound. */
export interface Heard {
  /** f32 [frames, symbols], row-major; the blank is symbol 0. */
  readonly logits: Float32Array
  readonly frames: number
  /** Of the sound. */
  readonly seconds: number
  /** Seconds between frames. */
  readonly shift: number
}

/** Sounds in, transcripts out. Made by `transcriber`. */
export interface Transcriber {
  /**
   * The likeliest transcripts of each sound, the best first: `best` at most, and none where a language model allows none. A sound that is too short
   * for a frame says nothing. Calls may overlap; they run in order.
   * @throws DataError for what is no sound; what the search throws
   */
  transcribe(sounds: readonly Sound[]): Promise<readonly (readonly SoundTranscript[])[]>
  /** What the network says of each frame of each sound. @throws as `transcribe` */
  hear(sounds: readonly Sound[]): Promise<readonly Heard[]>
  /** Frees programs and language model, behind what is under way. */
  dispose(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

const schema: Schema<TranscriberOptions> = {
  alphabet: is.needed(is.instance('an Alphabet', Alphabet)),
  search: is.oneOf('greedy', 'beam'),
  batch: is.whole(1),
  ...{ beam: is.anything, prune: is.anything, best: is.anything, languageModel: is.anything },
  ...{ alpha: is.anything, beta: is.anything, unknown: is.anything },
}

/** Programs that are kept: one more, and the one that was used longest ago goes. */
const MOST_PROGRAMS = 8
/** Lengths of sound are rounded up to a multiple of so many seconds, so that programs are few. */
const MULTIPLE = 0.5

type Program = Compiled<{ readonly logits: Tensor<'f32'>; readonly frames: Tensor<'i32'> }>

/**
 * Transcribes sounds with the weights of a session or a loaded model; nothing is compiled before the first sound.
 * @throws OstrichError `ERR_OPTION`
 * @example
 * using listen = train.transcriber(model, net, { alphabet, beam: 100, languageModel: await readArpa('bigram.arpa'), alpha: 0.8 })
 * const [[best]] = await listen.transcribe([await readSound('hello.wav')])
 * console.log(best?.text, best?.words[0]?.start)
 */
export function transcriber(of: Compiler, net: Listener, options: TranscriberOptions): Transcriber {
  expectKind('transcriber', 'of', is.withMethods('a session or a model', 'compile'), of)
  expectKind('transcriber', 'net', is.withMethods('a network over sound', 'run', 'frames'), net)
  expectOptions('transcriber', options, schema)
  const { alphabet, search = 'beam', batch = 16, ...beam } = options
  const given = Object.keys(beam)[0]
  if (search === 'greedy' && given !== undefined) {
    throw new OstrichError('ERR_OPTION', `transcriber[${given}]: expected it with search 'beam', got it with 'greedy'`)
  }
  const searching = search === 'beam' ? prefixBeamSearch(alphabet, beam) : undefined
  const ears = new Ears(of, net, alphabet.size, batch)
  const found = async ({ logits, frames }: Heard): Promise<readonly (Transcript | CtcHypothesis)[]> => {
    if (frames === 0) return [nothing]
    if (searching === undefined) return ctcGreedy(alphabet, logits)
    const [hypotheses = []] = await searching.run(logits)
    return hypotheses
  }
  const dispose = (): void => {
    ears.dispose()
    searching?.dispose()
  }
  return {
    async transcribe(sounds) {
      const heard = await ears.hear(sounds)
      const all: (readonly SoundTranscript[])[] = []
      for (const one of heard) all.push((await found(one)).map((transcript) => inSeconds(transcript, one)))
      return all
    },
    hear: (sounds) => ears.hear(sounds),
    dispose,
    [Symbol.dispose]: dispose,
  }
}

const nothing: Transcript = { text: '', labels: new Int32Array(0), words: [], confidence: 1 }

function inSeconds(
  { text, words, confidence, ...rest }: Transcript | CtcHypothesis,
  { shift, seconds }: Heard,
): SoundTranscript {
  // The last frame may reach beyond the sound.
  const at = (frame: number): number => Math.min(frame * shift, seconds)
  const timed = words.map(({ start, end, ...word }) => ({ ...word, start: at(start), end: at(end) }))
  const { logProbability, score } = rest as Partial<CtcHypothesis>
  return {
    ...{ text, words: timed, confidence },
    ...(logProbability !== undefined && { logProbability }),
    ...(score !== undefined && { score }),
  }
}

/** Runs the network over sounds of any number and length. */
class Ears {
  readonly #of: Compiler
  readonly #net: Listener
  readonly #classes: number
  readonly #batch: number
  /** By extents. */
  readonly #programs = new Kept<Program>(MOST_PROGRAMS, (program) => {
    program.dispose()
  })
  #turn: Promise<unknown> = Promise.resolve()
  #disposed = false

  constructor(of: Compiler, net: Listener, classes: number, batch: number) {
    this.#of = of
    this.#net = net
    this.#classes = classes
    this.#batch = batch
  }

  async hear(sounds: readonly Sound[]): Promise<readonly Heard[]> {
    expectKind('transcribe', 'sounds', is.listOf(is.object, 'sounds'), sounds)
    if (this.#disposed) {
      throw new OstrichError('ERR_DISPOSED', 'transcriber: expected a live one, got one that was disposed')
    }
    const rows = sounds.map((sound, i) => {
      expectSound(`sound ${i}`, sound)
      return resample(sound, this.#net.rate).samples
    })
    const done = this.#turn.then(() => this.#heard(rows))
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Sounds of about one length together. */
  async #heard(rows: readonly Float32Array[]): Promise<readonly Heard[]> {
    const heard = new Array<Heard>(rows.length)
    const order = [...rows.keys()].sort((a, b) => rows[a]!.length - rows[b]!.length)
    for (let from = 0; from < order.length; from += this.#batch) {
      const places = order.slice(from, from + this.#batch)
      const outputs = await this.#run(places.map((place) => rows[place]!))
      for (const [i, place] of places.entries()) heard[place] = outputs[i]!
    }
    return heard
  }

  async #run(rows: readonly Float32Array[]): Promise<readonly Heard[]> {
    const multiple = Math.max(1, Math.round(MULTIPLE * this.#net.rate))
    const longest = rows.reduce((most, { length }) => Math.max(most, length), 1)
    const steps = bucketOf(longest, multiple)
    // So that a few numbers of sounds share a program.
    const count = Math.min(this.#batch, 2 ** Math.ceil(Math.log2(rows.length)))
    const samples = new Float32Array(steps * count)
    const all = Array.from({ length: count }, (_, row) => rows[row] ?? new Float32Array(0))
    putSamples(all, samples)
    const lengths = Int32Array.from(all, ({ length }) => length)
    const program = await this.#programs.made(`${steps} ${count}`, () => this.#compiled(steps, count))
    const { logits, frames } = await program.run({ samples, lengths })
    const classes = this.#classes
    return rows.map((_, row): Heard => {
      const own = new Float32Array(frames[row]! * classes)
      for (let t = 0; t < frames[row]!; t++) {
        const first = (t * count + row) * classes
        own.set(logits.subarray(first, first + classes), t * classes)
      }
      const { shift, rate } = this.#net
      return { logits: own, frames: frames[row]!, seconds: lengths[row]! / rate, shift: shift / rate }
    })
  }

  /** @throws OstrichError `ERR_OPTION` for a network of other symbols than the alphabet's */
  async #compiled(steps: number, rows: number): Promise<Program> {
    const classes = this.#classes
    return this.#of.compile(
      (samples: Tensor<'f32'>, lengths: Tensor<'i32'>) => {
        const run = this.#net.run(samples, { lengths })
        if (run.output.shape[2] !== classes) {
          const got = `${run.output.shape[2] ?? 0} symbols`
          throw new OstrichError('ERR_OPTION', `transcriber[alphabet]: expected the network's ${got}, got ${classes}`)
        }
        return { logits: cast(run.output, 'f32'), frames: run.lengths }
      },
      { samples: { dtype: 'f32', shape: [steps, rows] }, lengths: { dtype: 'i32', shape: [rows] } },
    )
  }

  dispose(): void {
    this.#disposed = true
    void this.#turn.then(() => {
      this.#programs.clear()
    })
  }
}
