// Fetches a data set on its first use and says what is going on; asks nothing and says nothing where all is there.
import type { DataSource } from '../recipes/index.js'
import type { Output } from './command.js'

const words = { fetch: 'downloading', unpack: 'unpacking', write: 'writing' } as const

/** The folder that then holds the data. */
export async function fetchData(source: DataSource, output: Output): Promise<string> {
  let told = false
  return source.get({
    onProgress: ({ stage, what }) => {
      if (stage === 'check' || stage === 'present') return
      if (!told) output.note(`${source.name} is not here yet: ${source.origin}`)
      told = true
      output.note(stage === 'done' ? `  ${source.name} is in ${source.folder()}` : `  ${words[stage]} ${what}`)
    },
  })
}
