// ostrich words: vectors of words, trained and in use. Each of its actions is a command of its own.
import { suggestion } from '../base/index.js'
import type { Command } from './command.js'
import { UsageError } from './command.js'
import { analogies, near } from './words-ask.js'
import { map, translateWords } from './words-map.js'
import { plot } from './words-plot.js'
import { trainWords } from './words-train.js'

const actions = [trainWords, near, analogies, map, translateWords, plot]
const nameOf = ({ name }: Command): string => name.replace(/^words /, '')
const width = Math.max(...actions.map((action) => nameOf(action).length))

const help = [
  'Trains vectors of words on a text, and answers by them.\n',
  'Usage: ostrich words <action> [arguments] [options]\n',
  'Actions:',
  ...actions.map((action) => `  ${nameOf(action).padEnd(width)}  ${action.summary}`),
  '\nExamples:',
  '  ostrich words train letters.txt.gz --folder runs/letters',
  '  ostrich words near runs/letters paris - france + italy',
  '  ostrich words train --help',
].join('\n')

export const words: Command = {
  name: 'words',
  summary: 'train word vectors, and ask them',
  help,
  options: {},
  first: actions.map(nameOf),
  run: async ([name, ...args], output) => {
    if (name === undefined || name === '--help' || name === '-h') {
      output.line(help)
      return 0
    }
    const action = actions.find((one) => nameOf(one) === name)
    if (action !== undefined) return action.run(args, output)
    const known = actions.map(nameOf)
    throw new UsageError(`words: expected ${known.join(', ')}, got ${name}.${suggestion(name, known)}`)
  },
}
