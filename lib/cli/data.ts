// ostrich data: lists and fetches the data sets that recipes use.
import { access } from 'node:fs/promises'
import { dataSources } from '../recipes/index.js'
import { command, named, UsageError } from './command.js'
import { suggestion } from './nearest.js'
import { fetchData } from './fetch.js'

export const data = command({
  name: 'data',
  summary: 'list or fetch the data sets',
  arguments: ['list|get', '[name]'],
  about:
    'Data lives in $OSTRICH_DATA, or else in your cache folder (~/.cache/ostrich). `train` fetches what it needs by itself.',
  options: { from: { type: 'text', value: 'path', help: 'your copy, for a data set that is not downloaded' } },
  examples: [
    'ostrich data list',
    'ostrich data get mnist',
    'ostrich data get cifar10 --from cifar-10-binary.tar.gz',
    'OSTRICH_DATA=/big/disk ostrich data get mnist',
  ],
  run: async ({ from }, [action = '', name], output) => {
    if (action === 'list' && name === undefined) {
      for (const source of dataSources) {
        const present = await access(source.folder()).then(
          () => true,
          () => false,
        )
        output.line(`${source.name.padEnd(12)} ${source.title}`)
        output.line(`${' '.repeat(13)}${present ? `in ${source.folder()}` : `not fetched: ${source.origin}`}`)
      }
      return 0
    }
    if (action !== 'get') {
      throw new UsageError(
        `data: expected list, or get and a name, got ${action}.${suggestion(action, ['list', 'get'])}`,
      )
    }
    if (name === undefined) {
      throw new UsageError(
        `data get: expected the name of a data set (${dataSources.map((one) => one.name).join(', ')}), got none`,
      )
    }
    const source = named('data set', name, dataSources)
    if (from !== undefined && source.from === undefined) {
      throw new UsageError(`data get ${name}: expected no --from, as it is downloaded, got ${from}`)
    }
    output.line(await fetchData(source, output, from))
    return 0
  },
})
