// The training of word vectors: blocks of a text, one after the other, as often as there are epochs.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OstrichError } from '../../base/index.js'
import { type Corpus, hasTokens, TokenFile, type WordCounts, writeTokens } from '../../data/index.js'
import { openPlace, type Place } from '../place.js'
import { type Knobs, knobsOf, type WordVectorsOptions } from './options.js'
import { type WordProgram, wordProgram } from './program.js'
import { wholeTable } from './rows.js'
import { loadTables, openSaved, savePlace, saveWords, tokensIn, type WordPlace } from './saved.js'

/** Numbers of a block at most: some ten milliseconds of work, of two thousand warps where those are. */
const mostOf = ({ info }: Place): number => 2 ** (info['backend'] === 'cpu' ? 15 : 18)
const LEAST_BLOCK = 2 ** 10
/** Blocks of a training at least, where it is long enough: the rate falls from block to block. */
const STEPS = 200
/** The rate does not fall below this share of the first. */
const LEAST_RATE = 1e-4
const TOLD_EVERY = 100

/** Words with their vectors, as `KeyedVectors` takes them. */
export interface TrainedWords {
  /** The most frequent first. */
  readonly words: readonly string[]
  /** Row-major [V, D]. */
  readonly vectors: Float32Array
  readonly counts: Float64Array
}

/**
 * Trains vectors of words by word2vec: skip-gram or the mean of words around, by negative sampling or hierarchical softmax.
 * With one thread the vectors are the same at each run; with more, threads change the tables without locks, and they are not.
 * @param counts of the words that get a vector, as `countWords` gives them
 * @throws OstrichError `ERR_OPTION`; DataError for a text without words that have a vector; CheckpointError for what cannot be gone on with;
 *   DeviceError; the signal's reason
 * @see Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546
 * @example
 * const text = await corpus('enwiki.txt.gz')
 * const vectors = new train.KeyedVectors(await train.wordVectors(text, await countWords(text), { dimension: 100 }))
 */
export async function wordVectors(
  text: Corpus,
  counts: WordCounts,
  options: WordVectorsOptions = {},
): Promise<TrainedWords> {
  const knobs = knobsOf(options)
  if (counts.size < 2) {
    throw new OstrichError('ERR_OPTION', `wordVectors[counts]: expected two words or more, got ${counts.size}`)
  }
  const saved = options.resume === true ? await openSaved(options.folder!, knobs, counts) : undefined
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'ostrich-words-')))
  try {
    if (options.folder !== undefined) await mkdir(folder, { recursive: true })
    const known = saved !== undefined && (await hasTokens(tokensIn(folder), saved.place.tokens))
    const length = known
      ? saved.place.tokens
      : await writeTokens(
          tokensIn(folder),
          text,
          counts,
          options.signal === undefined ? {} : { signal: options.signal },
        )
    if (options.folder !== undefined && saved === undefined) await saveWords(folder, counts)
    await using tokens = await TokenFile.open(tokensIn(folder), length)
    const place = await openPlace({ ...options, precision: 'f32' })
    try {
      return await trained(place, knobs, counts, tokens, saved, options)
    } finally {
      await place.device.dispose()
    }
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function trained(
  place: Place,
  knobs: Knobs,
  counts: WordCounts,
  tokens: TokenFile,
  saved: Awaited<ReturnType<typeof openSaved>> | undefined,
  options: WordVectorsOptions,
): Promise<TrainedWords> {
  for (const message of place.warnings) options.onWarning?.(message)
  const start = saved?.place ?? begun(tokens.length, knobs.epochs, mostOf(place))
  const program = await wordProgram(place, knobs, counts.counts, start.block)
  if (saved !== undefined) await loadTables(saved.path, program)
  program.programs.draws = start.steps
  await allEpochs(program, knobs, tokens, counts.kept, start, options)
  // One table is gone, with the program that holds it, before the other is read.
  program.step.dispose()
  program.store.get(program.outputs)!.buffer.dispose()
  const vectors = await wholeTable(program, program.inputs)
  return { words: counts.words, vectors, counts: counts.counts }
}

function begun(tokens: number, epochs: number, most: number): WordPlace {
  const block = 2 ** Math.floor(Math.log2(Math.max(1, (tokens * epochs) / STEPS)))
  const within = Math.min(most, Math.max(LEAST_BLOCK, block))
  return { epoch: 0, from: 0, steps: 0, words: 0, block: within, tokens }
}

async function allEpochs(
  program: WordProgram,
  knobs: Knobs,
  tokens: TokenFile,
  kept: number,
  start: WordPlace,
  options: WordVectorsOptions,
): Promise<void> {
  const { folder, saveEvery = 60, signal } = options
  const total = kept * knobs.epochs
  const teller = tellerOf(knobs, total, options)
  const blocks = [new Int32Array(start.block), new Int32Array(start.block)] as const
  let [place, savedAt] = [start, Date.now()]
  const save = async (): Promise<void> => {
    if (folder !== undefined) await savePlace(folder, knobs, program, place)
    savedAt = Date.now()
  }
  let running: Promise<void> = Promise.resolve()
  for (let i = 0; place.epoch < knobs.epochs; i++) {
    // Of two blocks one is read while the other is worked on; inputs are copied when a run begins.
    const block = blocks[i % 2]!
    await tokens.read(place.from, block)
    const words = block.reduce((sum, word) => sum + (word >= 0 ? 1 : 0), 0)
    const rate = knobs.rate * Math.max(LEAST_RATE, 1 - place.words / total)
    await running
    const run = program.step.run({ tokens: block, rate: Float32Array.of(rate) })
    place = next(place, words)
    const now = place
    running = run.then(({ loss, scores }) => {
      teller(now, words, rate, loss[0]!, scores[0]!)
    })
    const isDue = Date.now() - savedAt >= saveEvery * 1000
    if (signal?.aborted !== true && !isDue) continue
    await running
    await save()
    signal?.throwIfAborted()
  }
  await running
  await save()
}

function next(place: WordPlace, words: number): WordPlace {
  const from = place.from + place.block
  const isLast = from >= place.tokens
  const epoch = place.epoch + (isLast ? 1 : 0)
  return { ...place, epoch, from: isLast ? 0 : from, steps: place.steps + 1, words: place.words + words }
}

/** Tells how it stands, not too often. */
function tellerOf(knobs: Knobs, total: number, { onProgress }: WordVectorsOptions) {
  let [since, read, losses, scored, isFirst] = [Date.now(), 0, 0, 0, true]
  return (place: WordPlace, words: number, rate: number, loss: number, scores: number): void => {
    read += words
    losses += loss
    scored += scores
    const passed = Date.now() - since
    if (onProgress === undefined || (!isFirst && passed < TOLD_EVERY && place.epoch < knobs.epochs)) return
    const epoch = Math.min(knobs.epochs, place.epoch + 1)
    const wordsPerSecond = (1000 * read) / Math.max(1, passed)
    onProgress({
      epoch,
      epochs: knobs.epochs,
      words: place.words,
      total,
      wordsPerSecond,
      loss: losses / Math.max(1, scored),
      rate,
    })
    ;[since, read, losses, scored, isFirst] = [Date.now(), 0, 0, 0, false]
  }
}
