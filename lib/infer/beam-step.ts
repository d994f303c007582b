// What a beam search compiles: sentences read into the rows of their beams, and one more word of every row. All extents are fixed: rows that
// nobody has asked for go on writing, and nobody looks.
import { OstrichError } from '../base/index.js'
import { constant, count, type Shape, type Tensor } from '../graph/index.js'
import {
  add,
  argmax,
  broadcastTo,
  cast,
  cumsum,
  div,
  equal,
  exp,
  floor,
  gather,
  less,
  log,
  logSoftmax,
  max,
  minimum,
  mul,
  reshape,
  sequenceMask,
  setRows,
  sign,
  slice,
  sub,
  sum,
  topK,
  transpose,
  where,
  zeros,
} from '../ops/index.js'
import type { BeamSettings } from './beam-options.js'
import { rowsOf } from './decoder.js'
import { ownedBy, prefixed, type States, type Writer } from './writer.js'

/** Far below any score, and finite: nothing that is possible is below it. */
const NEVER = -1e30

/** What the steps give the decoder. */
interface Stepped {
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly states: States
}

/** Inputs by name. */
type Inputs = Readonly<Record<string, Tensor>>

/** Extents of what `readStep` reads: sentences, their lengths, and the row of each of their beams. */
export function readExtents({ steps, reads, beam }: BeamSettings) {
  return {
    source: { dtype: 'i32', shape: [steps, reads] },
    lengths: { dtype: 'i32', shape: [reads] },
    rows: { dtype: 'i32', shape: [reads * beam] },
  } as const
}

/**
 * Reads sentences: every beam starts from what was read. Of a search all but the first count for nothing, as they are the same; samples
 * are not.
 */
export function readStep(writer: Writer, { beam, reads, steps, begin, coverage, sample }: BeamSettings) {
  const all = reads * beam
  const first = Array.from({ length: beam }, (_, i) => (i === 0 || sample !== undefined ? 0 : NEVER))
  const many = (x: Tensor<'f32'>): Tensor<'f32'> => {
    const rest = x.shape.slice(1)
    return reshape(broadcastTo(reshape(x, [reads, 1, ...rest]), [reads, beam, ...rest]), [all, ...rest])
  }
  return (inputs: Inputs, before: States): Stepped => {
    const lengths: Tensor<'i32'> = cast(inputs['lengths']!, 'i32')
    const { states, memory } = writer.read(cast(inputs['source']!, 'i32'), lengths)
    const read: States = {
      ...mapped({ ...prefixed('state', states), ...prefixed('memory', memory) }, many),
      word: add(zeros([all, 1]), begin),
      score: reshape(broadcastTo(constant('f32', [1, beam], first), [reads, beam]), [all, 1]),
      // What is not there counts as looked at.
      ...(coverage !== 0 && {
        coverage: many(transpose(cast(equal(sequenceMask(lengths, steps), 0), 'f32'), [1, 0])),
      }),
    }
    const rows: Tensor<'i32'> = cast(inputs['rows']!, 'i32')
    return { outputs: {}, states: mapped(read, (x, name) => withRows(before[name]!, rows, x)) }
  }
}

/** Extents of what `writeStep` reads: words that each row may not write, and a number from 0 to 1 that each draws by, where they are needed. */
export function writeExtents({ sentences, beam, longest, noRepeat, sample }: BeamSettings) {
  const rows = sentences * beam
  return {
    ...(noRepeat !== undefined && { barred: { dtype: 'i32', shape: [rows, longest] } as const }),
    ...(sample !== undefined && { draws: [rows, 1] }),
  }
}

/** What a step tells the host. */
export interface Told {
  /** Of each sentence the scores, words and parents of the best that there is, from the best down; of samples one of each beam, in order. */
  readonly values: Float32Array
  readonly words: Int32Array
  /** The beams that they follow; absent where each follows itself. */
  readonly parents?: Int32Array
  /** Which of them go on, of each sentence; absent where all do. */
  readonly chosen?: Int32Array
  /** Of each row before the step, the sum that coverage weighs. */
  readonly covered?: Float32Array
  /** Of each row before the step, how far its word looked at each source word. */
  readonly alignment?: Float32Array
}

/** One more word of every row. */
export function writeStep(writer: Writer, settings: BeamSettings) {
  const { sentences, beam, end, never, coverage, alignments, sample } = settings
  const rows = sentences * beam
  return (inputs: Inputs, before: States): Stepped => {
    const last: Tensor<'i32'> = cast(reshape(before['word']!, [rows]), 'i32')
    const { logits, states, alignment } = writer.write(last, ownedBy('state', before), ownedBy('memory', before))
    if (alignments && alignment === undefined) {
      const expected = 'expected a network that says where it looks, got one that does not'
      throw new OstrichError('ERR_OPTION', `beamSearch[alignments]: ${expected}`)
    }
    const width = logits.shape[1] ?? 1
    const banned = Array.from({ length: width }, (_, i) => (never.includes(i) ? NEVER : 0))
    const each = add(logSoftmax(cast(logits, 'f32')), constant('f32', [1, width], banned))
    const open = 'barred' in inputs ? withoutWords(each, cast(inputs['barred'], 'i32'), end) : each
    const { outputs, word, score, from } =
      sample === undefined
        ? likeliest(open, before['score']!, settings)
        : drawn(open, before['score']!, cast(inputs['draws']!, 'f32'), { ...sample, end })
    const moved = (x: Tensor<'f32'>): Tensor<'f32'> => (from === undefined ? x : rowsOf(x, from))
    const whole = coverage !== 0 && alignment ? add<'f32'>(before['coverage']!, alignment) : undefined
    return {
      outputs: {
        ...outputs,
        ...(alignments && alignment && { alignment }),
        ...(whole && { covered: sum(log(add(minimum(whole, 1), 1e-9)), -1) }),
      },
      states: {
        ...mapped(prefixed('state', states), moved),
        ...{ word, score },
        ...(whole && { coverage: moved(whole) }),
      },
    }
  }
}

/** What becomes of each row: the word that it wrote last and its score, f32 [rows, 1], and the row that it goes on from, its own unless told. */
interface Chosen {
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly word: Tensor<'f32'>
  readonly score: Tensor<'f32'>
  readonly from?: Tensor<'i32'>
}

/** Of log-probabilities [rows, words] and scores [rows, 1]: of each sentence the 2 beam best are seen, of which at least `beam` go on. */
function likeliest(each: Tensor<'f32'>, score: Tensor<'f32'>, { sentences, beam, end }: BeamSettings): Chosen {
  const [rows = 1, words = 1] = each.shape
  const seen = 2 * beam
  if (beam > words || beam * words > 2 ** 23) {
    const expected = `expected at most ${Math.min(words, Math.floor(2 ** 23 / words))} beams of ${words} words`
    throw new OstrichError('ERR_OPTION', `beamSearch[beam]: ${expected}, got ${beam}`)
  }
  const { values, indices } = topK<'f32'>(reshape(add(each, score), [sentences, beam * words]), seen)
  // Whole numbers below 2^23 are exact, also half of one above.
  const parents = floor(div(add(cast(indices, 'f32'), 0.5), words))
  const chosenWords = sub(cast(indices, 'f32'), mul(parents, words))
  const open = where(equal(cast(chosenWords, 'i32'), end), 2 * NEVER, values)
  const { values: scores, indices: chosen } = topK(open, beam)
  const place = reshape(add<'i32', Shape, Shape>(chosen, starts(sentences, seen)), [rows])
  const taken = (x: Tensor<'f32'>): Tensor<'f32'> => gather(reshape(x, [sentences * seen, 1]), place)
  const following = cast(reshape(taken(parents), [sentences, beam]), 'i32')
  return {
    outputs: { values, words: cast(chosenWords, 'i32'), parents: cast(parents, 'i32'), chosen },
    word: taken(chosenWords),
    score: reshape(scores, [rows, 1]),
    from: reshape(add<'i32', Shape, Shape>(following, starts(sentences, beam)), [rows]),
  }
}

interface Drawing {
  readonly temperature: number
  readonly topK: number
  readonly end: number
}

/** Each row draws a word: the first at which the running sum of probabilities is above the row's number, [rows, 1], of their whole sum. */
function drawn(
  each: Tensor<'f32'>,
  score: Tensor<'f32'>,
  draws: Tensor<'f32'>,
  { temperature, topK: most, end }: Drawing,
): Chosen {
  const [rows = 1, words = 1] = each.shape
  const scaled: Tensor<'f32'> = temperature === 1 ? each : div(each, temperature)
  const few = most < words ? topK(scaled, most) : undefined
  const values: Tensor<'f32'> = few?.values ?? scaled
  const width = values.shape[1] ?? 1
  const top: Tensor<'f32'> = max(values, -1, { keepDims: true })
  const shares: Tensor<'f32'> = exp(sub<'f32'>(values, top))
  const running: Tensor<'f32'> = cumsum(shares)
  const mark = mul<'f32'>(slice(running, [0, width - 1], [rows, 1]), draws)
  // Of equals the first: no word of probability 0 is one of them.
  const place = argmax(mul<'f32'>(cast(less<Shape, Shape>(mark, running), 'f32'), sign(shares)), -1)
  const at = (x: Tensor<'f32'>, places: Tensor<'i32'>): Tensor<'f32'> => {
    const [, extent = 1] = x.shape
    const index = add<'i32', Shape, Shape>(reshape(places, [rows, 1]), starts(rows, extent))
    return gather(reshape(x, [rows * extent, 1]), reshape(index, [rows]))
  }
  const word: Tensor<'f32'> =
    few === undefined ? reshape(cast(place, 'f32'), [rows, 1]) : at(cast(few.indices, 'f32'), place)
  const value = add<'f32'>(score, at(each, cast(reshape(word, [rows]), 'i32')))
  return {
    outputs: { values: reshape(value, [rows]), words: cast(reshape(word, [rows]), 'i32') },
    word,
    // What has ended is never taken up again.
    score: where(equal(word, end), 2 * NEVER, value),
  }
}

/** Log-probabilities [rows, words] but for words i32 [rows, most] of each row, which are not possible; the end, which stands where there is none, stays. */
function withoutWords(each: Tensor<'f32'>, barred: Tensor<'i32'>, end: number): Tensor<'f32'> {
  const [rows = 1, words = 1] = each.shape
  const all = count(barred.shape)
  const table = reshape(each, [rows * words, 1])
  const index = reshape(add<'i32', Shape, Shape>(barred, starts(rows, words)), [all])
  const values = where(reshape(equal(barred, end), [all, 1]), gather(table, index), NEVER)
  return reshape(setRows(table, index, values), [rows, words])
}

/** A state [N, ...] with some rows [M, ...] in the place of those at i32 [M]. */
function withRows(state: Tensor<'f32'>, places: Tensor<'i32'>, rows: Tensor<'f32'>): Tensor<'f32'> {
  const width = count(state.shape.slice(1))
  const flat = (x: Tensor<'f32'>): Tensor<'f32'> => reshape(x, [x.shape[0] ?? 1, width])
  return reshape(setRows(flat(state), places, flat(rows)), [...state.shape])
}

/** Where each of so many parts begins: i32 [parts, 1]. */
function starts(parts: number, extent: number): Tensor<'i32'> {
  const values = Array.from({ length: parts }, (_, i) => i * extent)
  return constant('i32', [parts, 1], values)
}

const mapped = (tensors: States, fn: (x: Tensor<'f32'>, name: string) => Tensor<'f32'>): States =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, fn(x, name)]))
