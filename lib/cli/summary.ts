// ostrich summary: the layers of a recipe's network, with what each one costs.
import { summary as summarize } from '../nn/index.js'
import { recipes } from '../recipes/index.js'
import { command, named } from './command.js'

export const summary = command({
  name: 'summary',
  summary: 'print the layers of a recipe’s network',
  arguments: ['<recipe>'],
  about: 'Prints path, output, parameters and multiply-adds of each layer, for one example.',
  options: { json: { type: 'flag', help: 'print JSON' } },
  examples: ['ostrich summary mnist'],
  run: ({ json }, [name = ''], output) => {
    const { net, example } = named('recipe', name, recipes).build()
    const made = summarize(net, { x: [1, ...example.shape], dtype: example.dtype === 'u8' ? 'f32' : example.dtype })
    if (json === true) {
      output.line(JSON.stringify(made, undefined, 2))
      return Promise.resolve(0)
    }
    const table = [
      ['layer', 'output', 'parameters', 'multiply-adds'],
      ...made.rows.map((row) => [
        row.path === '' ? row.kind : row.path,
        `[${row.output.join(', ')}]`,
        row.parameters.toLocaleString('en'),
        row.multiplyAdds.toLocaleString('en'),
      ]),
      ['total', '', made.parameters.toLocaleString('en'), made.multiplyAdds.toLocaleString('en')],
    ]
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)))
    for (const row of table) {
      output.line(row.map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '))
    }
    return Promise.resolve(0)
  },
})
