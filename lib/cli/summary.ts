// ostrich summary: the layers of a recipe's network, with what each one costs.
import { batched } from '../data/index.js'
import { type Summary, type SummaryRow, summary as summarize } from '../nn/index.js'
import { recipes } from '../recipes/index.js'
import { command, named } from './command.js'
import { alignedLines, grouped, shareOf } from '../report/index.js'

export const summary = command({
  name: 'summary',
  summary: 'print the layers of a recipe’s network',
  arguments: ['<recipe>'],
  first: recipes.map(({ name }) => name),
  about: [
    'Prints path, output, parameters and multiply-adds of each layer, for one example, and how both are split between',
    'convolutions and fully connected layers. How the time is split is measured by ostrich profile.',
  ].join('\n'),
  options: { json: { type: 'flag', help: 'print JSON' } },
  examples: ['ostrich summary mnist', 'ostrich summary alexnet'],
  run: ({ json }, [name = ''], output) => {
    const { net, example } = named('recipe', name, recipes).build()
    const made = summarize(net, { x: [...batched(example, 1)], dtype: example.dtype === 'u8' ? 'f32' : example.dtype })
    if (json === true) {
      output.line(JSON.stringify(made, undefined, 2))
      return Promise.resolve(0)
    }
    const table = [
      ['layer', 'output', 'parameters', 'multiply-adds'],
      ...made.rows.map((row) => [
        row.path === '' ? row.kind : row.path,
        `[${row.output.join(', ')}]`,
        grouped(row.parameters),
        grouped(row.multiplyAdds),
      ]),
      ['total', '', grouped(made.parameters), grouped(made.multiplyAdds)],
    ]
    for (const line of [...alignedLines(table, 2), '', ...splitLines(made)]) output.line(line)
    return Promise.resolve(0)
  },
})

const kinds = [
  ['convolutions', ['conv', 'local']],
  ['fully connected', ['linear']],
] as const

/** Parameters and multiply-adds by kind of layer, each with its share. */
function splitLines({ rows, parameters, multiplyAdds }: Summary): string[] {
  const sum = (of: readonly string[], what: (row: SummaryRow) => number) =>
    rows.filter(({ kind }) => of.includes(kind)).reduce((total, row) => total + what(row), 0)
  const lines = kinds.map(([title, of]) => {
    const own = [sum(of, (row) => row.parameters), sum(of, (row) => row.multiplyAdds)] as const
    const cell = (part: number, whole: number) => [grouped(part), shareOf(part, whole)]
    return [title, ...cell(own[0], parameters), ...cell(own[1], multiplyAdds)]
  })
  return alignedLines([['', 'parameters', 'share', 'multiply-adds', 'share'], ...lines], 1)
}
