// ostrich words plot: chosen words as a picture.
import { writeFile } from 'node:fs/promises'
import { wordPicture } from '../report/index.js'
import { command } from './command.js'
import { vectorOptions, vectorsOf } from './words-vectors.js'

export const plot = command({
  name: 'words plot',
  summary: 'a picture of chosen words, like ones near each other',
  arguments: ['<vectors|run>', '<word>', '...'],
  about:
    'Draws words along the two directions in which their vectors differ most (principal components), as an SVG file.',
  options: {
    ...vectorOptions,
    out: { type: 'text', value: 'file.svg', help: 'where it goes (default words.svg)' },
  },
  examples: ['ostrich words plot runs/letters clinton obama paris london dolphin whale --out words.svg'],
  run: async ({ limit, out = 'words.svg' }, [given = '', ...words], output) => {
    const vectors = await vectorsOf(given, limit, output)
    await writeFile(out, wordPicture(vectors.plane(words), given))
    output.line(`${out} shows ${words.length} words`)
    return 0
  },
})
