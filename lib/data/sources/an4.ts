// AN4 (Acero, Carnegie Mellon University 1991), the census database: people who spell names, addresses and numbers, and say words of control. Taken
// from the user's copy, as CMU distributes it (SPHERE), or with its recordings as WAV or FLAC.
import { expectOptions, is } from '../../base/index.js'
import {
  corpusTakes,
  type CorpusSource,
  type FoundRecording,
  getCorpus,
  type GetCorpusOptions,
} from '../audio/corpus-source.js'
import type { SpeechParts } from '../audio/speech-set.js'
import { permutation, wholeNumber } from '../batches.js'
import { DataError } from '../errors.js'
import type { Files } from '../open-files.js'

/** Recordings and speakers of each part. */
const PARTS = { train: { recordings: 948, speakers: 74 }, test: { recordings: 130, speakers: 10 } } as const
type Part = keyof typeof PARTS
const parts = Object.keys(PARTS) as readonly Part[]

const source: CorpusSource = {
  name: 'an4',
  wanted: 'an4_sphere.tar.gz or its folder',
  rate: 16_000,
  async find(files, from) {
    const found = await Promise.all(parts.map((part) => recordingsOf(files, part, from)))
    return found.flat()
  },
  expectWhole(rows, where) {
    for (const part of parts) {
      const own = rows.filter((row) => row.part === part)
      const speakers = new Set(own.map(({ speaker }) => speaker)).size
      const { recordings, speakers: people } = PARTS[part]
      if (own.length === recordings && speakers === people) continue
      const expected = `expected ${recordings} recordings of ${people} speakers to ${part} by`
      throw new DataError(`${where}: ${expected}, got ${own.length} of ${speakers}`)
    }
  },
}

/** The recordings that `an4_<part>.fileids` names, with the lines of `an4_<part>.transcription`. */
async function recordingsOf(files: Files, part: Part, from: string): Promise<readonly FoundRecording[]> {
  const { names } = files
  const lines = async (file: string): Promise<readonly string[]> => {
    const path = names.find((name) => name === file || name.endsWith(`/${file}`))
    if (path === undefined) throw new DataError(`${from}: expected a file ${file} of AN4, got none`)
    return new TextDecoder()
      .decode(await files.read(path))
      .split('\n')
      .flatMap((line) => line.trim() || [])
  }
  const transcripts = new Map(
    (await lines(`an4_${part}.transcription`)).map((line) => {
      const [, text, name] = /^(?:<s>\s+)?(.*?)(?:\s+<\/s>)?\s+\((\S+)\)$/.exec(line) ?? []
      return [name ?? '', text ?? ''] as const
    }),
  )
  const paths = new Map(
    names.flatMap((path) => {
      const id = /([^/]+\/[^/]+)\.(?:sph|wav|flac)$/.exec(path)?.[1]
      return id === undefined ? [] : [[id, path] as const]
    }),
  )
  return (await lines(`an4_${part}.fileids`)).map((id) => {
    const [speaker = '', name = ''] = id.split('/').slice(-2)
    const [path, transcript] = [paths.get(`${speaker}/${name}`), transcripts.get(name)]
    if (path === undefined) throw new DataError(`${from}: expected a recording ${id} (.sph, .wav or .flac), got none`)
    if (!transcript) throw new DataError(`${from}: expected a transcript of ${name}, got none`)
    return { part, speaker, name, transcript, path }
  })
}

/** Options of `an4`. */
export interface An4Options {
  /** The folder. Default `$OSTRICH_DATA/an4`, else `an4` in the user's cache. */
  readonly dir?: string
  /** Speakers of the 74 to train on that are held back for every choice; 0: none. Default: 8. */
  readonly heldBack?: number
  /** Draws which. Default: 1, whatever the seed of a run is. */
  readonly seed?: number
}

/**
 * AN4 at 16 kHz, lines of capitals: 948 of 74 speakers, of whom 8, drawn by seed, are held back as `validation`; 130 of 10 others to test by.
 * @throws DataError where it is absent (the message says how to get it) or not whole; for an option out of range
 * @example
 * const lines = await an4()
 * const sets = speechSets(lines, { alphabet: Alphabet.of(lines.train.map(({ transcript }) => transcript), 'character') })
 */
export async function an4(options: An4Options = {}): Promise<SpeechParts> {
  expectOptions<An4Options>('an4', options, { dir: is.text, heldBack: is.anything, seed: is.anything })
  const { dir, heldBack = 8, seed = 1 } = options
  wholeNumber('an4', 'heldBack', heldBack, 0, PARTS.train.speakers - 1)
  wholeNumber('an4', 'seed', seed, 0)
  const takes = await corpusTakes(source, dir)
  const own = takes.filter(({ part }) => part === 'train')
  const speakers = [...new Set(own.map(({ speaker }) => speaker))].sort()
  const held = new Set(Array.from(permutation(speakers.length, seed, 0).subarray(0, heldBack), (i) => speakers[i]!))
  const validation = own.filter(({ speaker }) => held.has(speaker))
  return {
    train: own.filter(({ speaker }) => !held.has(speaker)),
    ...(validation.length > 0 && { validation }),
    test: takes.filter(({ part }) => part === 'test'),
  }
}

/**
 * Puts AN4 into the cache from a copy that the user has: CMU's `an4_sphere.tar.gz`, or its folder. Recordings in FLAC need the package
 * @wasm-audio-decoders/flac.
 * @returns the folder that holds it
 * @throws DataError where there is nothing to read, or it is damaged or not whole
 * @example await getAn4({ from: 'an4_sphere.tar.gz' })
 */
export async function getAn4(options: GetCorpusOptions = {}): Promise<string> {
  return getCorpus('getAn4', source, options)
}
