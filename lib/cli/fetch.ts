// Fetches a data set on its first use and says what is going on; asks nothing and says nothing where all is there.
import type { DataSource } from '../recipes/index.js'
import { createProgress } from '../report/index.js'
import type { Output } from './command.js'

const words = { fetch: 'downloading', unpack: 'unpacking', decode: 'decoding', write: 'writing' } as const

/** The folder that then holds the data; `from` is the user's copy of it. */
export async function fetchData(source: DataSource, output: Output, from?: string): Promise<string> {
  let told = from !== undefined
  const progress = createProgress({ stream: process.stderr })
  try {
    return await source.get({
      ...(from !== undefined && { from }),
      onProgress: ({ stage, what, done, total }) => {
        if (stage === 'check' || stage === 'present') return
        if (!told) output.note(`${source.name} is not here yet: ${source.origin}`)
        told = true
        if (stage === 'decode' && done !== undefined && total !== undefined) {
          progress.update({ what: words.decode, done, total, unit: 'files' })
          if (done === total) progress.finish()
          return
        }
        output.note(stage === 'done' ? `  ${source.name} is in ${source.folder()}` : `  ${words[stage]} ${what}`)
      },
    })
  } finally {
    progress.finish()
  }
}
