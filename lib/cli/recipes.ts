// ostrich recipes: what can be trained with one command.
import { recipes } from '../recipes/index.js'
import { command } from './command.js'
import { nameOf } from './reading.js'

export const list = command({
  name: 'recipes',
  summary: 'list what can be trained with one command',
  arguments: [],
  about: 'A recipe is a network with its data, optimiser and schedule, and the number that they reach together.',
  options: { json: { type: 'flag', help: 'print JSON' } },
  examples: ['ostrich recipes', 'ostrich train mnist'],
  run: ({ json }, _positionals, output) => {
    const rows = recipes.map(({ name, title, paper, target, data }) => ({
      name,
      title,
      paper,
      target,
      data: data.name,
    }))
    if (json === true) output.line(JSON.stringify(rows, undefined, 2))
    else {
      const width = Math.max(...rows.map(({ name }) => name.length)) + 1
      for (const { name, title, paper, target } of rows) {
        output.line(`${name.padEnd(width)}${title}`)
        const value = target.of === undefined ? `${(100 * target.value).toFixed(1)} %` : `${target.value}`
        output.line(`${' '.repeat(width)}to reach: ${value} ${nameOf(target)}; ${paper}`)
      }
    }
    return Promise.resolve(0)
  },
})
