// ostrich words map and translate: from the words of one language to those of another, by a map that a dictionary teaches.
import { learnVectorMap, readDictionary, refineVectorMap, wordTranslator, type WordTranslator } from '../infer/index.js'
import { alignedLines, percent } from '../report/index.js'
import { command, type Output, UsageError, type Values } from './command.js'
import { deviceOption } from './device-option.js'
import { vectorOptions, vectorsOf } from './words-vectors.js'

const options = {
  ...vectorOptions,
  method: {
    type: 'text',
    choices: ['procrustes', 'leastSquares', 'sgd'],
    help: 'how the map is learned (default procrustes, a rotation)',
  },
  retrieval: { type: 'text', choices: ['cosine', 'csls'], help: 'how words are compared (default csls)' },
  centre: { type: 'flag', help: 'take the mean of all vectors from each first' },
  refine: {
    type: 'whole',
    help: 'learn it anew so often, from words that are each other’s nearest (default 0)',
  },
  device: deviceOption,
  json: { type: 'flag', help: 'print JSON' },
} as const

type Chosen = Values<typeof options>

async function opened(
  [source = '', target = '', dictionary = '']: readonly string[],
  values: Chosen,
  output: Output,
): Promise<WordTranslator> {
  const from = await vectorsOf(source, values.limit, output)
  const to = await vectorsOf(target, values.limit, output)
  const learned = learnVectorMap(from, to, await readDictionary(dictionary), {
    ...(values.method !== undefined && { method: values.method as 'sgd' }),
    ...(values.centre === true && { centre: true }),
  })
  output.note(`${dictionary}: learned from ${learned.pairs} pairs, ${learned.skipped} skipped`)
  const place = values.device === undefined ? {} : { device: values.device as 'cpu' }
  const { refine: rounds = 0 } = values
  const refined = rounds === 0 ? learned : await refineVectorMap(learned, from, to, { ...place, rounds })
  if (rounds > 0) output.note(`learned anew ${rounds} times, from ${refined.pairs} pairs at last`)
  return wordTranslator(refined, from, to, {
    ...place,
    ...(values.retrieval !== undefined && { retrieval: values.retrieval as 'csls' }),
  })
}

export const map = command({
  name: 'words map',
  summary: 'learn a map between two languages, and measure it',
  arguments: ['<vectors|run>', '<vectors|run>', '<dictionary>', '<test dictionary>'],
  about: 'Dictionaries are in the form of MUSE: a word and a translation on each line.',
  options,
  examples: ['ostrich words map runs/english runs/spanish en-es.0-5000.txt en-es.5000-6500.txt'],
  run: async (values, [source = '', target = '', dictionary = '', test = ''], output) => {
    await using translator = await opened([source, target, dictionary], values, output)
    const { at1, at5, at10, words, skipped } = await translator.evaluate(await readDictionary(test))
    if (values.json === true) {
      output.line(JSON.stringify({ at1, at5, at10, words, skipped }))
      return 0
    }
    const rows = [
      ['P@1', percent(at1)],
      ['P@5', percent(at5)],
      ['P@10', percent(at10)],
    ]
    for (const line of alignedLines(rows, 1)) output.line(line)
    output.note(`${test}: ${words} words, ${skipped} skipped`)
    return 0
  },
})

export const translateWords = command({
  name: 'words translate',
  summary: 'the likeliest translations of words',
  arguments: ['<vectors|run>', '<vectors|run>', '<dictionary>', '<word>', '...'],
  about: 'Learns the map of `words map` and writes the likeliest translations of each word, the best first.',
  options: { ...options, most: { type: 'whole', help: 'so many of each (default 5)' } },
  examples: ['ostrich words translate runs/english runs/spanish en-es.0-5000.txt house river'],
  run: async ({ most = 5, ...values }, [source = '', target = '', dictionary = '', ...asked], output) => {
    if (most === 0) throw new UsageError('--most expects at least 1, got 0')
    await using translator = await opened([source, target, dictionary], values, output)
    const found = await translator.translate(asked, most)
    if (values.json === true) {
      output.line(JSON.stringify(found.map((words, i) => ({ word: asked[i], translations: words }))))
      return 0
    }
    for (const [i, words] of found.entries()) {
      output.line([asked[i], ...words.map(({ word, score }) => `${word} ${score.toFixed(3)}`)].join('\t'))
    }
    return 0
  },
})
