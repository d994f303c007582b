// Beam search: the likeliest continuations of many sentences at once, by a network that reads a sentence and then writes another word by
// word. One compiled step writes a word of every beam, scores it and chooses the beams that go on; the host keeps the words, and what has ended.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import { constant, feed, type Shape, type Tensor, trace } from '../graph/index.js'
import {
  add,
  broadcastTo,
  cast,
  div,
  equal,
  floor,
  gather,
  log,
  logSoftmax,
  minimum,
  mul,
  reshape,
  sequenceMask,
  sub,
  sum,
  topK,
  transpose,
  where,
  zeros,
} from '../ops/index.js'
import { decoder, type Decoder, rowsOf } from './decoder.js'
import type { Compiler, DecoderProgram } from './decoder-types.js'
import { Hypotheses, type Hypothesis, type Ranking } from './hypotheses.js'

type States = Readonly<Record<string, Tensor<'f32'>>>

/** A network that reads and writes, as those of `models` do (`models.lstmTranslator`). */
export interface Writer {
  /** Sentences i32 [S, N] of lengths i32 [N] -> what the first word is written from, and what each word looks at, [N, ...] all. */
  readonly read: (source: Tensor<'i32'>, lengths: Tensor<'i32'>) => { readonly states: States; readonly memory: States }
  /** The next word after `word` i32 [N]: logits f32 [N, V], the states behind it, and perhaps how far each source word was looked at. */
  readonly write: (
    word: Tensor<'i32'>,
    states: States,
    memory: States,
  ) => { readonly logits: Tensor<'f32'>; readonly states: States; readonly alignment?: Tensor<'f32'> }
}

/** Options of `beamSearch`. */
export interface BeamSearchOptions extends Ranking {
  /** Sentences that are read at once. */
  readonly sentences: number
  /** S: words of the longest sentence that is read. */
  readonly steps: number
  /** Beams of each sentence; 1 takes the likeliest word each time. Default: 5. */
  readonly beam?: number
  /** Words of the longest that is written, its end counted. Default: 100. */
  readonly longest?: number
  /** What every sentence begins with. Default: 1. */
  readonly begin?: number
  /** What ends it. Default: 2. */
  readonly end?: number
  /** Words that are never written. Default: 0 and `begin`. */
  readonly never?: readonly number[]
}

const schema: Schema<BeamSearchOptions> = {
  sentences: is.needed(is.whole(1)),
  steps: is.needed(is.whole(1)),
  beam: is.whole(1),
  longest: is.whole(1),
  begin: is.whole(0),
  end: is.whole(0),
  never: is.numbers,
  lengthPenalty: is.oneOf('none', 'mean', 'gnmt'),
  alpha: is.finite,
  coverage: is.finite,
}

/** Far below any score, and finite: nothing that is possible is below it. */
const NEVER = -1e30

type StepOutputs = Readonly<Record<'values' | 'words' | 'parents' | 'chosen', Tensor>>

/**
 * Opens a beam search over the weights of a session or of a loaded model.
 * @throws OstrichError `ERR_OPTION`, also for beams of more words than there are; what `decoder` throws
 * @see Sutskever, Vinyals & Le 2014, 3.2; Wu et al. 2016, "Google's neural machine translation system", 7, for `gnmt` and coverage.
 * @example
 * const search = await train.beamSearch(session, net, { sentences: 16, steps: 40, beam: 5, lengthPenalty: 'mean' })
 * const [[best]] = await search.run([Int32Array.of(12, 7, 2)])
 */
export async function beamSearch(of: Compiler, writer: Writer, options: BeamSearchOptions): Promise<BeamSearch> {
  expectKind('beamSearch', 'writer', is.withMethods('a network that reads and writes', 'read', 'write'), writer)
  expectOptions('beamSearch', options, schema)
  const search = new BeamSearch(of, writer, options)
  await search.ready
  return search
}

/** Sentences that are continued by their likeliest words. Made by `beamSearch`. */
export class BeamSearch {
  readonly #options: Required<Omit<BeamSearchOptions, keyof Ranking>> & Ranking
  readonly #decoder: Decoder
  readonly #start: ReturnType<BeamSearch['compileStart']>
  readonly #step: DecoderProgram<object, StepOutputs> & { readonly ready: Promise<unknown> }

  /** @throws as `beamSearch` */
  constructor(of: Compiler, writer: Writer, options: BeamSearchOptions) {
    const { begin = 1 } = options
    this.#options = { beam: 5, longest: 100, begin, end: 2, never: [0, begin], ...options }
    const { sentences, steps, beam } = this.#options
    const rows = sentences * beam
    const extents: Record<string, readonly number[]> = { word: [rows, 1], score: [rows, 1] }
    const graph = trace({ name: 'extents' }, () => {
      const { states, memory } = writer.read(
        feed('source', 'i32', [steps, sentences]),
        feed('lengths', 'i32', [sentences]),
      )
      return { ...prefixed('state', states), ...prefixed('memory', memory) }
    })
    for (const { name, tensor } of graph.fetches) extents[name] = [rows, ...tensor.shape.slice(1)]
    if ((options.coverage ?? 0) !== 0) extents['coverage'] = [rows, steps]
    this.#decoder = decoder(of, { states: extents })
    this.#start = this.compileStart(writer)
    this.#step = this.#compileStep(writer)
  }

  /** Settles when the programs are compiled. */
  get ready(): Promise<unknown> {
    return Promise.all([this.#start.ready, this.#step.ready])
  }

  /**
   * The `beam` best continuations of each sentence, the best first; any number of sentences of words i32.
   * @throws OstrichError `ERR_DATA` for a sentence without words, or longer than `steps`; `ERR_NOT_FINITE` where the network gives what is no number
   */
  async run(sources: readonly Int32Array[]): Promise<readonly (readonly Hypothesis[])[]> {
    const { sentences } = this.#options
    const all: (readonly Hypothesis[])[] = []
    for (let first = 0; first < sources.length; first += sentences) {
      all.push(...(await this.#some(sources.slice(first, first + sentences), first)))
    }
    return all
  }

  async #some(sources: readonly Int32Array[], first: number): Promise<readonly (readonly Hypothesis[])[]> {
    const { sentences, steps, beam, end, longest } = this.#options
    const source = new Int32Array(steps * sentences)
    // A sentence that is not there is read as one word.
    const lengths = new Int32Array(sentences).fill(1)
    for (const [i, words] of sources.entries()) {
      if (words.length === 0 || words.length > steps) {
        const got = `${words.length} in sentence ${first + i}`
        throw new OstrichError('ERR_DATA', `beamSearch: expected 1 to ${steps} words, got ${got}`)
      }
      lengths[i] = words.length
      for (const [t, word] of words.entries()) source[t * sentences + i] = word
    }
    await this.#start.run({ source, lengths })
    const all = sources.map(() => new Hypotheses(beam, end, this.#options))
    for (let t = 1; t <= longest && all.some((one) => !one.isDone); t++) {
      const { values, words, parents, chosen, ...more } = await this.#step.run({})
      const covered = (more as { readonly covered?: Float32Array }).covered
      const part = <A extends Float32Array | Int32Array>(array: A, each: number, i: number) =>
        array.subarray(i * each, (i + 1) * each) as A
      for (const [i, one] of all.entries()) {
        one.add({
          values: part(values as Float32Array, 2 * beam, i),
          words: part(words as Int32Array, 2 * beam, i),
          parents: part(parents as Int32Array, 2 * beam, i),
          chosen: part(chosen as Int32Array, beam, i),
          covered: covered && part(covered, beam, i),
          sentence: first + i,
        })
      }
    }
    return all.map((one) => one.best())
  }

  /** Reads the sentences: every beam starts from what was read, and all but the first count for nothing. */
  private compileStart(writer: Writer) {
    const { sentences, steps, beam, begin, coverage = 0 } = this.#options
    const rows = sentences * beam
    const many = (x: Tensor<'f32'>): Tensor<'f32'> => {
      const rest = x.shape.slice(1)
      return reshape(broadcastTo(reshape(x, [sentences, 1, ...rest]), [sentences, beam, ...rest]), [rows, ...rest])
    }
    return this.#decoder.prepare(
      ({ source, lengths }) => {
        const { states, memory } = writer.read(source, lengths)
        const first = constant(
          'f32',
          [1, beam],
          Array.from({ length: beam }, (_, i) => (i === 0 ? 0 : NEVER)),
        )
        const repeated = Object.entries({ ...prefixed('state', states), ...prefixed('memory', memory) })
        return {
          outputs: {},
          states: {
            ...Object.fromEntries(repeated.map(([name, x]) => [name, many(x)])),
            word: add(zeros([rows, 1]), begin),
            score: reshape(broadcastTo(first, [sentences, beam]), [rows, 1]),
            // What is not there counts as looked at.
            ...(coverage !== 0 && { coverage: many(transpose(cast(behind(lengths, steps), 'f32'), [1, 0])) }),
          },
        }
      },
      { source: { dtype: 'i32', shape: [steps, sentences] }, lengths: { dtype: 'i32', shape: [sentences] } } as const,
    )
  }

  /** One more word of every beam. Of each sentence the 2 beam best are seen, of which at least `beam` go on. */
  #compileStep(writer: Writer): DecoderProgram<object, StepOutputs> & { readonly ready: Promise<unknown> } {
    const { sentences, beam, end, never, coverage = 0 } = this.#options
    const rows = sentences * beam
    const seen = 2 * beam
    const starts = (each: number): Tensor<'i32'> =>
      constant(
        'i32',
        [sentences, 1],
        Array.from({ length: sentences }, (_, i) => i * each),
      )
    const step = (_: object, before: States) => {
      const { score, word } = before
      const { logits, states, alignment } = writer.write(
        cast(reshape(word!, [rows]), 'i32'),
        without('state', before),
        without('memory', before),
      )
      const words = logits.shape[1] ?? 1
      if (beam > words || beam * words > 2 ** 23) {
        const expected = `expected at most ${Math.min(words, Math.floor(2 ** 23 / words))} beams of ${words} words`
        throw new OstrichError('ERR_OPTION', `beamSearch[beam]: ${expected}, got ${beam}`)
      }
      const barred = constant(
        'f32',
        [1, words],
        Array.from({ length: words }, (_, i) => (never.includes(i) ? NEVER : 0)),
      )
      const each = add(add(logSoftmax(cast(logits, 'f32')), barred), score!)
      const { values, indices } = topK(reshape(each, [sentences, beam * words]) as Tensor<'f32'>, seen)
      // Whole numbers below 2^23 are exact, also half of one above.
      const parents = floor(div(add(cast(indices, 'f32'), 0.5), words))
      const chosenWords = sub(cast(indices, 'f32'), mul(parents, words))
      const open = where(equal(cast(chosenWords, 'i32'), end), 2 * NEVER, values)
      const { values: scores, indices: chosen } = topK(open, beam)
      const place = reshape(add<'i32', Shape, Shape>(chosen, starts(seen)), [rows])
      const taken = (x: Tensor<'f32'>): Tensor<'f32'> => gather(reshape(x, [sentences * seen, 1]), place)
      const from = reshape(
        add<'i32', Shape, Shape>(cast(reshape(taken(parents), [sentences, beam]), 'i32'), starts(beam)),
        [rows],
      )
      const covering = coverage !== 0 && alignment !== undefined
      const whole: Tensor<'f32'> | undefined = covering ? add(before['coverage']!, alignment) : undefined
      return {
        outputs: {
          ...{ values, words: cast(chosenWords, 'i32'), parents: cast(parents, 'i32'), chosen },
          ...(whole && { covered: sum(log(add(minimum(whole, 1), 1e-9)), -1) }),
        },
        states: {
          ...Object.fromEntries(Object.entries(prefixed('state', states)).map(([name, x]) => [name, rowsOf(x, from)])),
          word: taken(chosenWords),
          score: reshape(scores, [rows, 1]),
          ...(whole && { coverage: rowsOf(whole, from) }),
        },
      }
    }
    return this.#decoder.prepare(step, {})
  }

  /** Frees the programs. */
  dispose(): void {
    this.#decoder.dispose()
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** u8 [S, N]: 1 behind the end of each sentence. */
const behind = (lengths: Tensor<'i32'>, steps: number): Tensor<'u8'> => equal(sequenceMask(lengths, steps), 0)

const prefixed = (prefix: string, tensors: States): States =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [`${prefix}.${name}`, x]))

const without = (prefix: string, tensors: States): States =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, x]) =>
      name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), x]] : [],
    ),
  )
