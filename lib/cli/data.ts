// ostrich data: lists and fetches the data sets that recipes use, and packs folders of images.
import { access, constants } from 'node:fs/promises'
import { suggestion } from '../base/index.js'
import { type DataSource, dataSources } from '../recipes/index.js'
import { command, named, UsageError } from './command.js'
import { fetchData } from './fetch.js'
import { pack, packOptions } from './pack.js'

export const data = command({
  name: 'data',
  summary: 'list or fetch the data sets, pack images',
  arguments: ['list|get|pack', '[name|tree]', '[out]'],
  first: ['list', 'get', 'pack'],
  about:
    'Data lives in $OSTRICH_DATA, or else in your cache folder (~/.cache/ostrich). `train` fetches what it needs by itself.\n`pack` turns a folder of images per class into shards to train from; stopped, it goes on when it is run again.',
  options: {
    json: { type: 'flag', help: 'list: print JSON' },
    from: { type: 'text', value: 'path', help: 'get: your copy, for a data set that is not downloaded' },
    ...packOptions,
  },
  examples: [
    'ostrich data list',
    'ostrich data get mnist',
    'ostrich data get cifar10 --from cifar-10-binary.tar.gz',
    'ostrich data get ptb --from simple-examples/data',
    'ostrich data get multi30k --from dataset/data/task1/raw',
    'ostrich data get an4 --from an4_sphere.tar.gz',
    'ostrich data get svhn --from svhn',
    'OSTRICH_DATA=/big/disk ostrich data get mnist',
    'ostrich data pack ILSVRC2012 packed --workers 8',
  ],
  run: async (values, [action = '', name, out], output) => {
    if (action === 'pack') return pack(values, name, out, output)
    if (out !== undefined) throw new UsageError(`data ${action}: expected no further argument, got ${out}`)
    const { from } = values
    if (action === 'list' && name === undefined && values.json === true) {
      const all = dataSources.map(async (source) => {
        return { name: source.name, title: source.title, found: await whereabouts(source) }
      })
      output.line(JSON.stringify(await Promise.all(all), undefined, 2))
      return 0
    }
    if (action === 'list' && name === undefined) {
      for (const source of dataSources) {
        output.line(`${source.name.padEnd(12)} ${source.title}`)
        output.line(`${' '.repeat(13)}${await whereabouts(source)}`)
      }
      return 0
    }
    if (action !== 'get') {
      throw new UsageError(
        `data: expected list, get and a name, or pack and two folders, got ${action}.${suggestion(action, ['list', 'get', 'pack'])}`,
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

/** Where a data set is, in words; a folder that cannot be read is there. */
async function whereabouts(source: DataSource): Promise<string> {
  const folder = source.folder()
  const reason = await access(folder, constants.R_OK | constants.X_OK).then(
    () => undefined,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
  if (reason === undefined) return `in ${folder}`
  return reason === 'ENOENT' ? `not fetched: ${source.origin}` : `in ${folder}, which cannot be read: ${reason}`
}
