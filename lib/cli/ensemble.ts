// ostrich ensemble: language models that guess together. The probabilities of each next token are averaged over the models, as
// Zaremba, Sutskever & Vinyals 2014 do; one model is in memory at a time.
import { Vocabulary } from '../data/index.js'
import { type Recipe, recipes } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { command, named, type Output, UsageError } from './command.js'
import { partOf } from './eval.js'
import { fetchData } from './fetch.js'
import { checkpointOf, languageModel, placeOptions } from './language-model.js'

export const ensemble = command({
  name: 'ensemble',
  summary: 'measure several language models as one',
  arguments: ['<checkpoint|run>', '...'],
  about: [
    'Averages the probabilities that any number of language models give each word of the test set, and prints the perplexity of',
    'each model and of all together. They must be trained with one vocabulary; their networks may differ.',
  ].join('\n'),
  options: {
    ...placeOptions,
    data: { type: 'text', value: 'path', help: 'where the data is (default: where `ostrich data` keeps it)' },
    on: {
      type: 'text',
      choices: ['test', 'validation'],
      help: 'which part of the data (default: test, or validation where it has no test)',
    },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich ensemble runs/ptb-1 runs/ptb-2 runs/ptb-3'],
  run: async ({ data, on, json = false, ...place }, givens, output) => {
    const paths = await Promise.all(givens.map(checkpointOf))
    const { recipe, vocabulary } = await common(paths)
    if (data === undefined) await fetchData(recipe.data, output)
    const halves = await recipe.data.load({ vocabulary, ...(data !== undefined && { dir: data }) })
    const { part, held: text } = partOf('ensemble', halves, on)
    if (!('tokens' in text)) throw new UsageError('ensemble: expected a text to measure on, got images')
    const mean = new Float64Array(text.tokens.length - 1)
    const members: Member[] = []
    for (const path of paths) {
      const { model } = await languageModel(path, place)
      try {
        const losses = await model.tokenLosses(text)
        for (const [i, loss] of losses.entries()) mean[i]! += Math.exp(-loss) / paths.length
        members.push({ path, perplexity: perplexityOf(losses) })
      } finally {
        await model.dispose()
      }
      if (!json) sayMember(members.at(-1)!, output)
    }
    const together = perplexityOf(mean.map((probability) => -Math.log(probability)))
    if (json) output.line(JSON.stringify({ on: part, tokens: mean.length, members, perplexity: together }))
    else
      output.line(
        `${together.toFixed(2).padStart(9)}  all ${members.length} together: ${part} perplexity, ${mean.length} tokens`,
      )
    return 0
  },
})

interface Member {
  readonly path: string
  readonly perplexity: number
}

function sayMember({ path, perplexity }: Member, output: Output): void {
  output.line(`${perplexity.toFixed(2).padStart(9)}  ${path}`)
}

/** exp of the mean of losses in nats. */
function perplexityOf(losses: Float32Array | Float64Array): number {
  let total = 0
  for (const loss of losses) total += loss
  return Math.exp(total / losses.length)
}

/** What all members were trained on. */
async function common(paths: readonly string[]): Promise<{ readonly recipe: Recipe; readonly vocabulary: Vocabulary }> {
  let first: { path: string; text: string } | undefined
  let found: { recipe: Recipe; vocabulary: Vocabulary } | undefined
  for (const path of paths) {
    const info = await inspectCheckpoint(path)
    if (info?.vocabulary === undefined) {
      throw new UsageError(`${path}: expected a language model's checkpoint, got one without a vocabulary`)
    }
    const { config } = info
    const name = typeof config === 'object' && config !== null && 'recipe' in config ? String(config.recipe) : ''
    found ??= { recipe: named('recipe', name, recipes), vocabulary: new Vocabulary(info.vocabulary) }
    const text = JSON.stringify(info.vocabulary)
    first ??= { path, text }
    if (text !== first.text) throw new UsageError(`${path}: expected the vocabulary of ${first.path}, got another`)
  }
  return found!
}
