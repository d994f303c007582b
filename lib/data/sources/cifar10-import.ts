// Brings CIFAR-10 into the cache from a copy that the user has: its binary version, or a folder of images per class (in the
// JPEG re-encodings that go round, or PNG), each as a folder or as a tar archive. The cache holds the binary version.
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { placeFile } from '../cache.js'
import { dataFolder } from '../folder.js'
import type { FetchOptions } from '../npm-package.js'
import { type Files, openFiles } from '../open-files.js'
import { inParallel } from '../parallel.js'
import { DataError } from '../errors.js'
import { decodeImage } from '../image/decode.js'
import { checkRecords, cifar10Classes, PER_FILE, RECORD, SIDE, TEST_FILES, TRAIN_FILES } from './cifar10-format.js'

const CLASSES = cifar10Classes.length
/** Decoders at work at once. */
const AT_ONCE = 8

/** What to say where there is nothing to read. */
const WANTED =
  'cifar-10-binary.tar.gz, its data_batch_*.bin, or train/ and test/ with a folder of images per class (also as .tar or .tar.gz)'

/** Options of `getCifar10`. */
export interface GetCifar10Options extends FetchOptions {
  /** An archive or a folder with CIFAR-10; needed where the cache does not hold it. */
  readonly from?: string
  /** Default `$OSTRICH_DATA/cifar10`, else `cifar10` in the user's cache. */
  readonly dir?: string
}

/** See `getCifar10`. */
export async function importCifar10(options: GetCifar10Options): Promise<string> {
  const { from, dir = dataFolder('cifar10'), onProgress = () => undefined } = options
  onProgress({ stage: 'check', what: dir })
  if (from === undefined) {
    if (!(await complete(dir))) {
      throw new DataError(`cifar10: expected --from <path> with ${WANTED}, as ${dir} does not hold the data, got none`)
    }
    onProgress({ stage: 'present', what: dir })
    return dir
  }
  onProgress({ stage: 'unpack', what: from })
  // One of the binary version's files stands for its folder.
  const files = await openFiles(from.endsWith('.bin') ? dirname(from) : from, 'cifar10', WANTED)
  const contents = (await binaryVersion(files, from)) ?? (await decodeTree(files, from, options))
  for (const [name, bytes] of contents) {
    onProgress({ stage: 'write', what: name })
    await placeFile(join(dir, name), bytes)
  }
  onProgress({ stage: 'done', what: dir })
  return dir
}

async function complete(dir: string): Promise<boolean> {
  for (const name of [...TRAIN_FILES, ...TEST_FILES]) {
    const size = await stat(join(dir, name)).then(
      (found) => found.size,
      () => -1,
    )
    if (size !== PER_FILE * RECORD) return false
  }
  return true
}

/** The six files as they are; undefined where they are not among the given. */
async function binaryVersion(files: Files, from: string): Promise<Map<string, Uint8Array> | undefined> {
  const { names } = files
  const first = names.find((name) => basename(name) === 'data_batch_1.bin')
  if (first === undefined) return undefined
  const contents = new Map<string, Uint8Array>()
  for (const name of [...TRAIN_FILES, ...TEST_FILES]) {
    const path = join(dirname(first), name)
    if (!names.includes(path)) throw new DataError(`${from}: expected a file ${path} beside ${first}, got none`)
    const bytes = await files.read(path)
    checkRecords(bytes, `${from}: ${path}`)
    contents.set(name, bytes)
  }
  return contents
}

/** Decodes `train/<class>/*` and `test/<class>/*` to the six files; the classes take turns, each in the order of its names. */
export async function decodeTree(
  files: Files,
  from: string,
  { onProgress = () => undefined, signal }: GetCifar10Options,
  perFile = PER_FILE,
): Promise<Map<string, Uint8Array>> {
  const halves = [
    { files: TRAIN_FILES, images: imagesOf(files, from, 'train', (TRAIN_FILES.length * perFile) / CLASSES) },
    { files: TEST_FILES, images: imagesOf(files, from, 'test', perFile / CLASSES) },
  ]
  const total = halves.reduce((sum, { images }) => sum + images.length, 0)
  let done = 0
  const contents = new Map<string, Uint8Array>()
  for (const half of halves) {
    const records = new Uint8Array(half.images.length * RECORD)
    await inParallel(half.images.length, AT_ONCE, async (i) => {
      signal?.throwIfAborted()
      const name = half.images[i]!
      records[i * RECORD] = i % CLASSES
      records.set(await pixelsOf(await files.read(name), `${from}: ${name}`), i * RECORD + 1)
      onProgress({ stage: 'decode', what: name, done: ++done, total })
    })
    for (const [i, name] of half.files.entries()) {
      contents.set(name, records.subarray(i * perFile * RECORD, (i + 1) * perFile * RECORD))
    }
  }
  return contents
}

/** Names of a half's images, `each` of every class, the classes in turn. */
export function imagesOf({ names }: Files, from: string, half: string, each: number): string[] {
  const pattern = new RegExp(`(?:^|/)${half}/([^/]+)/[^./][^/]*\\.(?:jpe?g|png)$`, 'i')
  const classes = new Map<string, string[]>()
  for (const name of names) {
    const found = pattern.exec(name)?.[1]
    if (found === undefined) continue
    const list = classes.get(found) ?? []
    list.push(name)
    classes.set(found, list)
  }
  const got = [...classes.keys()].sort()
  if (got.join() !== cifar10Classes.join()) {
    const shown = got.length > 0 ? `folders ${got.join(', ')}` : `no images in ${half}/<class>/`
    const python = names.some((name) => basename(name) === 'data_batch_1')
    const hint = python ? '; this is the Python version: take the binary version' : ''
    throw new DataError(
      `${from}: expected ${WANTED}, with the classes ${cifar10Classes.join(', ')}; got ${shown}${hint}`,
    )
  }
  const lists = cifar10Classes.map((name) => classes.get(name)!.sort())
  for (const [label, { length }] of lists.entries()) {
    if (length === each) continue
    throw new DataError(`${from}: expected ${each} images in ${half}/${String(cifar10Classes[label])}, got ${length}`)
  }
  return Array.from({ length: each * CLASSES }, (_, i) => lists[i % CLASSES]![Math.floor(i / CLASSES)]!)
}

async function pixelsOf(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const { data, height, width } = await decodeImage(bytes, name)
  if (height === SIDE && width === SIDE) return data
  throw new DataError(`${name}: expected an image of ${SIDE} x ${SIDE}, got ${width} x ${height}`)
}
