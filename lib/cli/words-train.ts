// ostrich words train: a text in, a file of word vectors out, which other programs read too.
import { join } from 'node:path'
import { corpus, type Corpus, countWords, learnPhrases, type WordCounts } from '../data/index.js'
import { KeyedVectors } from '../infer/index.js'
import { createProgress, grouped, type Progress } from '../report/index.js'
import { makeRunFolder, runName, wordVectors, type WordVectorsProgress } from '../train/index.js'
import { command, type Output, UsageError, type Values } from './command.js'
import { deviceOption } from './device-option.js'
import { expectFree } from './run-folder.js'
import { stopOnSignals } from './stop.js'
import { VECTORS } from './words-vectors.js'

const options = {
  model: {
    type: 'text',
    choices: ['skipGram', 'cbow'],
    help: 'who foretells a word: each word around it, or their mean (default skipGram)',
  },
  loss: {
    type: 'text',
    choices: ['negativeSampling', 'hierarchicalSoftmax'],
    help: 'what it is told from (default negativeSampling)',
  },
  dimension: { type: 'whole', help: 'numbers of a vector (default 100)' },
  window: { type: 'whole', help: 'words on each side at most (default 5)' },
  negatives: { type: 'whole', help: 'words that are drawn beside each (default 5)' },
  sample: { type: 'number', help: 'words of a larger share are left out now and then (default 0.001)' },
  epochs: { type: 'whole', help: 'times that the text is gone through (default 5)' },
  rate: { type: 'number', help: 'learning rate at first (default 0.025, of cbow 0.05)' },
  least: { type: 'whole', help: 'leave out words that stand there less often (default 5)' },
  most: { type: 'whole', help: 'keep the most frequent words only (default: all)' },
  phrases: {
    type: 'number',
    help: 'join pairs of words that score higher: new york is new_york (usual is 100; default: none)',
  },
  seed: { type: 'whole', help: 'of what is drawn (default 1)' },
  device: deviceOption,
  threads: {
    type: 'whole',
    help: 'threads of the CPU (default 0: all cores); the result is the same at each run with 1',
  },
  folder: { type: 'text', value: 'folder', help: 'of the run (default: a new one in runs)' },
  resume: { type: 'text', value: 'folder', help: 'go on with the run that is there, with the same options' },
  quiet: { type: 'flag', help: 'print the result only' },
} as const

type Chosen = Values<typeof options>

export const trainWords = command({
  name: 'words train',
  summary: 'train vectors on a file or a folder of text',
  arguments: ['<text>'],
  about: [
    'Reads text in UTF-8, compressed by gzip or not, whose words are parted by white space and whose lines are sentences, and trains a',
    `vector for each word by word2vec. Leaves ${VECTORS} in the folder of the run, in word2vec's format, which gensim reads too.`,
    'Ctrl-C saves; --resume goes on.',
  ].join('\n'),
  options,
  examples: [
    'ostrich words train letters.txt.gz',
    'ostrich words train books --model cbow --dimension 300 --window 10',
    'ostrich words train letters.txt --folder runs/letters --threads 1',
    'ostrich words train letters.txt --resume runs/letters --threads 1',
  ],
  run: async (values, [path = ''], output) => {
    const { resume, folder: wanted } = values
    if (resume !== undefined && wanted !== undefined) throw new UsageError('--resume expects no --folder, got both')
    if (wanted !== undefined) await expectFree(wanted, 'words')
    const progress = createProgress({ stream: values.quiet === true ? undefined : process.stderr })
    const stop = stopOnSignals(output)
    try {
      const text = await textOf(path, values, progress, stop.signal)
      const counts = await countsOf(text, values, progress, stop.signal)
      if (values.quiet !== true) {
        progress.line(`${grouped(counts.size)} words that stand there often enough, of ${grouped(counts.total)} in all`)
      }
      const folder = resume ?? wanted ?? (await makeRunFolder('runs', runName('words', new Date())))
      const began = performance.now()
      const trained = await wordVectors(text, counts, {
        ...knobsOf(values),
        folder,
        resume: resume !== undefined,
        signal: stop.signal,
        onProgress: (state) => {
          progress.update(shown(state))
        },
        onWarning: (message) => {
          output.note(message)
        },
      })
      progress.finish()
      const seconds = (performance.now() - began) / 1000
      const vectors = new KeyedVectors(trained)
      const file = join(folder, VECTORS)
      await vectors.save(file)
      output.line(`${file}: ${grouped(vectors.size)} vectors of ${vectors.dimension} numbers, ${seconds.toFixed(1)} s`)
      if (values.quiet !== true) sayNext(folder, vectors, output)
      return 0
    } catch (error) {
      if (stop.code === 0 || error !== stop.signal.reason) throw error
      return stop.code
    } finally {
      progress.finish()
      stop.dispose()
    }
  },
})

async function textOf(path: string, { phrases }: Chosen, progress: Progress, signal: AbortSignal): Promise<Corpus> {
  const plain = await corpus(path)
  if (phrases === undefined) return plain
  const onProgress = ({ done, total }: { done: number; total: number }): void => {
    progress.update({ what: 'pairs of words', done, total, unit: 'bytes' })
  }
  return (await learnPhrases(plain, { threshold: phrases, onProgress, signal })).corpus(plain)
}

async function countsOf(
  text: Corpus,
  { least, most }: Chosen,
  progress: Progress,
  signal: AbortSignal,
): Promise<WordCounts> {
  return countWords(text, {
    ...(least !== undefined && { least }),
    ...(most !== undefined && { most }),
    signal,
    onProgress: ({ done, total }) => {
      progress.update({ what: 'counting words', done, total, unit: 'bytes' })
    },
  })
}

function knobsOf({ model, loss, device, ...values }: Chosen) {
  const { dimension, window, negatives, sample, epochs, rate, seed, threads } = values
  const given = { model, loss, device, dimension, window, negatives, sample, epochs, rate, seed, threads }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function shown({ words, total, loss, rate, epoch, epochs }: WordVectorsProgress) {
  const what = `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  rate ${rate.toPrecision(3)}`
  return { what, done: words, total, unit: 'words' }
}

function sayNext(folder: string, vectors: KeyedVectors, output: Output): void {
  const some = vectors.words.find((word) => word.length > 4) ?? vectors.words[0]!
  output.note(
    [
      'Try next:',
      `  ostrich words near ${folder} ${some}`,
      `  ostrich words plot ${folder} ${vectors.words.slice(0, 5).join(' ')}`,
    ].join('\n'),
  )
}
