// ostrich translate: lines in, translated lines out, in their order and as they come. On a terminal: a line is typed, its translation is below it.
import { lineTranslator } from '../infer/index.js'
import { grouped } from '../report/index.js'
import { fileBytes, put } from './arriving-lines.js'
import { command, UsageError } from './command.js'
import { placeOptions } from './language-model.js'
import { converse, translateStream, type Translating } from './translated-lines.js'
import { isLooking, loadTranslator, searchOf, searchOptions, searchText } from './translator.js'

/** Lines that are translated together are so many times those that the device takes at once: they are sorted by length. */
const SORTED = 16

export const translate = command({
  name: 'translate',
  summary: 'translate lines of text',
  arguments: ['<checkpoint|run>', '...'],
  about: [
    'Reads lines from the standard input, or from a file, and writes a translation of each, in their order and as soon as it is',
    'there. An empty line stays empty. On a terminal a line is typed, and its translation is below it; Ctrl-D ends. Several',
    'checkpoints translate together, by the mean of their probabilities.',
  ].join('\n'),
  options: {
    input: { type: 'text', value: 'file', help: 'lines to translate (default: the standard input)' },
    ...searchOptions,
    'n-best': {
      type: 'whole',
      help: 'so many translations of each line, each behind its rank from 1 and its score, with tabs between',
    },
    split: { type: 'flag', help: 'translate a line that is too long in parts (default: it ends the command)' },
    attention: { type: 'text', value: 'file.svg', help: 'draw what each word of the first translation looked at' },
    batch: { type: 'whole', help: 'lines at once (default 32)' },
    ...placeOptions,
    json: { type: 'flag', help: 'print JSON, a line for each line' },
  },
  examples: [
    'ostrich translate runs/2026-01-31T09-05-00-translate-attention < lines.de > lines.en',
    'ostrich translate last.safetensors --input lines.de --beam 10 --n-best 3',
    'ostrich translate runs/one runs/two < lines.de',
    'echo "Ein Mann fährt Rad." | ostrich translate last.safetensors --attention bike.svg',
  ],
  run: async ({ input, split, attention, batch = 32, json = false, ...values }, givens, output) => {
    const nBest = values['n-best']
    for (const [name, value] of Object.entries({ 'n-best': nBest ?? 1, batch })) {
      if (value === 0) throw new UsageError(`--${name} expects at least 1, got 0`)
    }
    const loaded = await loadTranslator(givens, values)
    try {
      const search = searchOf(loaded.plan, values)
      if (nBest !== undefined && nBest > search.beam) {
        throw new UsageError(`--n-best expects at most as many as there are beams, ${search.beam}, got ${nBest}`)
      }
      const { model, writer, source, target, recipe } = loaded
      if (attention !== undefined && !isLooking(writer)) {
        throw new UsageError(`--attention expects a network that looks at its source word by word, got ${recipe.name}`)
      }
      using lines = lineTranslator(model, writer, {
        ...{ ...search, source, target, batch, alignments: attention !== undefined },
        ...(split === true && { longer: 'split' as const }),
      })
      const work: Translating = {
        ...{ lines, nBest, json, attention, name: recipe.name },
        write: (text) => put(process.stdout, text),
        note: (text) => {
          output.note(text)
        },
      }
      // What is typed is shown on stderr, so that stdout has translations alone.
      if (input === undefined && process.stdin.isTTY) await converse(work, process.stdin, process.stderr)
      else {
        const began = performance.now()
        const count = await translateStream(
          work,
          input === undefined ? process.stdin : fileBytes(input),
          SORTED * batch,
        )
        const seconds = (performance.now() - began) / 1000
        const rate = grouped(Math.round(count / seconds))
        const unit = count === 1 ? 'line' : 'lines'
        output.note(`${grouped(count)} ${unit} in ${seconds.toFixed(1)} s, ${rate} lines/s (${searchText(search)})`)
      }
      return 0
    } finally {
      await loaded.model.dispose()
    }
  },
})
