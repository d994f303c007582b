// ostrich words near and analogies: what vectors of words know.
import { alignedLines, percent } from '../report/index.js'
import { command, UsageError } from './command.js'
import { deviceOption } from './device-option.js'
import { vectorOptions, vectorsOf } from './words-vectors.js'

const methods = ['cosine', '3CosMul'] as const
const method = { type: 'text', choices: methods, help: 'how words are compared (default cosine)' } as const

export const near = command({
  name: 'words near',
  summary: 'the words that are most like some, and least like others',
  arguments: ['<vectors|run>', '<word>', '...'],
  about: 'Words are added up; behind a minus they are taken away. Each answer stands behind its score.',
  options: {
    ...vectorOptions,
    most: { type: 'whole', help: 'so many answers (default 10)' },
    method,
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: [
    'ostrich words near runs/letters dolphin whale',
    'ostrich words near runs/letters paris - france + italy',
    'ostrich words near GoogleNews-vectors-negative300.bin.gz "king - man + woman" --limit 200000 --method 3CosMul',
  ],
  run: async ({ limit, most = 10, ...values }, [given = '', ...asked], output) => {
    const { positive, negative } = signsOf(asked)
    const vectors = await vectorsOf(given, limit, output)
    const found = vectors.mostSimilar({ positive, negative, most, method: (values.method ?? 'cosine') as 'cosine' })
    if (values.json === true) output.line(JSON.stringify(found))
    else for (const { word, score } of found) output.line(`${score.toFixed(4)}\t${word}`)
    return 0
  },
})

/** Words, and which of them are taken away. */
function signsOf(asked: readonly string[]): { readonly positive: string[]; readonly negative: string[] } {
  const [positive, negative]: [string[], string[]] = [[], []]
  let to = positive
  const parts = asked.flatMap((part) => part.trim().split(/\s+/))
  for (const [i, part] of parts.entries()) {
    if (part !== '+' && part !== '-') {
      to.push(part)
      to = positive
      continue
    }
    to = part === '-' ? negative : positive
    const next = parts[i + 1]
    if (next === undefined || next === '+' || next === '-') {
      throw new UsageError(`words near: expected a word behind ${part}, got ${next ?? 'none'}`)
    }
  }
  return { positive, negative }
}

export const analogies = command({
  name: 'words analogies',
  summary: 'how many analogies they answer, and how far they go together with what people say',
  arguments: ['<vectors|run>', '<questions-words.txt>', '[pairs.txt]'],
  about: [
    'Answers questions such as "Athens is to Greece as Baghdad is to ...", in the form of word2vec\'s questions-words.txt, by category, and,',
    'with a file of pairs of words and scores, tells how far cosines go together with these (Spearman).',
  ].join('\n'),
  options: { ...vectorOptions, method, device: deviceOption, json: { type: 'flag', help: 'print JSON' } },
  examples: ['ostrich words analogies runs/letters questions-words.txt --limit 30000'],
  run: async ({ limit, ...values }, [given = '', questions = '', pairs], output) => {
    const vectors = await vectorsOf(given, limit, output)
    const place = values.device === undefined ? {} : { device: values.device as 'cpu' }
    const found = await vectors.evaluateAnalogies(questions, {
      ...place,
      method: (values.method ?? 'cosine') as 'cosine',
    })
    const rows = [
      ...found.categories,
      { name: 'semantic', ...found.semantic },
      { name: 'syntactic', ...found.syntactic },
      { ...found, name: 'all' },
    ]
    const scores = pairs === undefined ? undefined : await vectors.evaluatePairs(pairs)
    if (values.json === true) {
      output.line(JSON.stringify({ analogies: rows, ...(scores && { pairs: scores }) }))
      return 0
    }
    const lines = rows.map(({ name, accuracy, correct, asked, skipped }) => {
      return [
        name,
        asked === 0 ? '-' : percent(accuracy),
        `${correct} of ${asked}`,
        skipped === 0 ? '' : `${skipped} skipped`,
      ]
    })
    for (const line of alignedLines(lines, 1)) output.line(line)
    if (scores === undefined) return 0
    const skipped = scores.skipped === 0 ? '' : `, ${scores.skipped} skipped`
    output.line(`${pairs}: Spearman ${scores.spearman.toFixed(4)} over ${scores.pairs} pairs${skipped}`)
    return 0
  },
})
