// ostrich complete: autocompletion with a language model. On a terminal: type, see how the word may end, Tab takes the first
// completion. Elsewhere, or with a text as its argument: prints the completions of each line.
import { createInterface } from 'node:readline'
import { type Completer, completer, type Completion } from '../infer/index.js'
import { command, type Output, UsageError } from './command.js'
import { languageModel, placeOptions } from './language-model.js'
import { percent } from '../report/index.js'
import { type Keyboard, typeOn } from './typing.js'

export const complete = command({
  name: 'complete',
  summary: 'complete words as they are typed',
  arguments: ['<checkpoint|run>', '[text]'],
  about: [
    'Shows how the word under way is likely to end, or behind a space the next word, the likeliest first. On a terminal Tab takes',
    'the first completion, Enter begins a new line, Ctrl-C ends. With a text, or with lines on the standard input, prints the',
    'completions of each and ends.',
  ].join('\n'),
  options: {
    number: { type: 'whole', help: 'completions to show (default 5)' },
    ...placeOptions,
    json: { type: 'flag', help: 'print JSON, a line for each text' },
  },
  examples: [
    'ostrich complete runs/2026-01-31T09-05-00-shakespeare',
    'ostrich complete last.safetensors "the compan" --number 3',
    'ostrich complete last.safetensors --json < beginnings.txt',
  ],
  run: async ({ number = 5, json = false, ...place }, [given = '', text], output) => {
    if (number < 1) throw new UsageError(`--number expects at least 1, got ${number}`)
    const { model, vocabulary } = await languageModel(given, place)
    try {
      const typed = await completer(model, vocabulary)
      if (text !== undefined) await print(typed, text, { number, json, output })
      else if (process.stdin.isTTY) await typeOn(keyboard(), typed, number)
      else {
        for await (const line of createInterface({ input: process.stdin }))
          await print(typed, line, { number, json, output })
      }
      return 0
    } finally {
      await model.dispose()
    }
  },
})

interface Printed {
  readonly number: number
  readonly json: boolean
  readonly output: Output
}

async function print(typed: Completer, text: string, { number, json, output }: Printed): Promise<void> {
  await typed.read(text)
  const completions = await typed.completions(number)
  if (json) {
    output.line(JSON.stringify({ text, completions }))
    return
  }
  for (const line of ranked(text, completions)) output.line(line)
}

/** A line for each completion: the text with it, and how probable it is. */
export function ranked(text: string, completions: readonly Completion[]): string[] {
  if (completions.length === 0) return [`${text}  (no completion)`]
  return completions.map((one) => `${percent(one.probability).padStart(8)}  ${text}${one.text}`)
}

/** The terminal, key by key. */
function keyboard(): Keyboard {
  const { stdin, stdout } = process
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  return {
    keys: stdin as AsyncIterable<string>,
    write: (text) => stdout.write(text),
    columns: () => stdout.columns,
    close: () => {
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
