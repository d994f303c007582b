// What the sources of spoken lines have in common: the recordings of a user's copy, a folder or an archive, are found, decoded and put into the cache.
import { expectOptions, is } from '../../base/index.js'
import { DataError } from '../errors.js'
import { fetchOptions } from '../fetch-options.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import type { Files } from '../open-files.js'
import { expectDecoders } from './flac.js'
import { hasCorpus, readCorpus, type Recording, type Row, type Take, writeCorpus } from './corpus.js'
import { wholesOf } from './pcm.js'
import { readSound } from './read-sound.js'

/** A recording in a user's copy. */
export interface FoundRecording extends Row {
  /** In the copy. */
  readonly path: string
}

/** A corpus by name. */
export interface CorpusSource {
  readonly name: string
  /** What is looked for in a user's copy, in words. */
  readonly wanted: string
  /** Samples a second, Hz. */
  readonly rate: number
  /** The recordings of a copy, in order. @throws DataError */
  find(files: Files, from: string): readonly FoundRecording[] | Promise<readonly FoundRecording[]>
  /** Looks whether it is all of the corpus. @throws DataError */
  expectWhole(rows: readonly Row[], where: string): void
}

/** Options of what gets a corpus. */
export interface GetCorpusOptions extends FetchOptions {
  /** The user's copy; needed where the cache does not hold the corpus. */
  readonly from?: string
  /** Default: a folder of its name in `$OSTRICH_DATA`, else in the user's cache. */
  readonly dir?: string
}

/** The recordings of the cache. @throws DataError where they are not there (the message says how to get them), or not all of the corpus */
export async function corpusTakes(source: CorpusSource, dir = dataFolder(source.name)): Promise<readonly Take[]> {
  const { name, wanted } = source
  if (!(await hasCorpus(dir))) {
    const how = `Run: ostrich data get ${name} --from <${wanted}>`
    throw new DataError(`${name}: expected the recordings in ${dir}, got none. ${how}`)
  }
  const takes = await readCorpus(dir, source.rate)
  source.expectWhole(takes, dir)
  return takes
}

/** Puts a corpus into the cache. @returns the folder that holds it @throws DataError where there is nothing to read, or it is damaged or not whole */
export async function getCorpus(op: string, source: CorpusSource, options: GetCorpusOptions): Promise<string> {
  expectOptions<GetCorpusOptions>(op, options, { ...fetchOptions, from: is.text })
  const { name, wanted, rate } = source
  const { from, dir = dataFolder(name), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  if (from === undefined) {
    if (!(await hasCorpus(dir))) {
      throw new DataError(`${name}: expected --from <path> with ${wanted}, as ${dir} does not hold it, got none`)
    }
    await corpusTakes(source, dir)
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  onProgress({ stage: 'unpack', what: from })
  const { openFiles } = await import('../open-files.js')
  const files = await openFiles(from, name, wanted)
  const found = await source.find(files, from)
  source.expectWhole(found, from)
  const recordings = await decoded(files, found, source, from, options)
  await writeCorpus(dir, recordings, rate, (what) => {
    onProgress({ stage: 'write', what })
  })
  onProgress({ stage: 'done', what: dir })
  return dir
}

/** Decodes all recordings, one after the other. @throws DataError, which counts those that are damaged and names the first */
async function decoded(
  files: Files,
  found: readonly FoundRecording[],
  { name, rate }: CorpusSource,
  from: string,
  { onProgress = () => undefined, signal }: GetCorpusOptions,
): Promise<readonly Recording[]> {
  await expectDecoders(found.map(({ path }) => path))
  const recordings: Recording[] = []
  const bad: string[] = []
  for (const [i, { path, ...row }] of found.entries()) {
    signal?.throwIfAborted()
    try {
      const { samples, rate: own } = await readSound(await files.read(path), { name: `${from}: ${path}` })
      if (own !== rate) throw new DataError(`${from}: ${path}: expected ${rate} Hz, got ${own}`)
      recordings.push({ ...row, samples: wholesOf(samples) })
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      bad.push(error.message)
    }
    onProgress({ stage: 'decode', what: path, done: i + 1, total: found.length })
  }
  if (bad.length === 0) return recordings
  throw new DataError(`${name}: expected ${found.length} recordings, got ${bad.length} bad ones; the first: ${bad[0]!}`)
}
