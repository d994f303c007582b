// A shard: images of one size back to back in `00000.shard`, and in `00000.json` beside it what they are. The record is written
// last, so where there is one, the shard is whole; its hash says whether it still is.
//   u8    planes [3, size, size] of every image: a file of [images, 3, size, size] bytes and nothing else
//   jpeg  a JPEG file of size x size for every image; `lengths` says where each ends
import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { placeFile, sha256OfFile } from '../cache.js'
import { DataError, reasonOf } from '../errors.js'
import { decodeImage, decodePart, encodeJpeg, loadSharp, readImage } from './decode.js'
import { enlarged } from './part.js'
import { ColourCounter, type ColourSums } from './statistics.js'
import type { TreeImage } from './tree.js'

/** How images are kept. */
export type Encoding = 'u8' | 'jpeg'

/** A shard that is to be made; plain data, so that it can be sent to another process. */
export interface ShardJob {
  /** Folder of the source images. */
  readonly root: string
  /** Folder and name of the shard, without an ending. */
  readonly path: string
  /** Hash of everything that decides what the shard holds. */
  readonly plan: string
  readonly size: number
  readonly encoding: Encoding
  readonly quality: number
  readonly onBad: 'skip' | 'fail'
  readonly images: readonly TreeImage[]
}

/** A file that is no image, and why. */
export interface BadImage {
  readonly name: string
  readonly reason: string
}

/** What a shard holds. */
export interface ShardRecord {
  readonly version: 1
  readonly plan: string
  readonly images: number
  readonly bytes: number
  readonly sha256: string
  readonly labels: readonly number[]
  /** Bytes of each image; `jpeg` only. */
  readonly lengths?: readonly number[]
  /** CRC-32 of each image's bytes, u32 in base64; older shards have none. */
  readonly sums?: string
  readonly names: readonly string[]
  readonly bad: readonly BadImage[]
  readonly colours: ColourSums
}

/** Images that are under way at once in one process. */
const AT_ONCE = 4

/** Told after each image. */
export type Told = (bad: BadImage | undefined) => void

/**
 * Makes a shard, unless it is there and whole.
 *
 * @returns whether it was there
 * @throws DataError for the first bad image with `onBad: 'fail'`; where sharp is absent, or the disk is full
 */
export async function packShard(job: ShardJob, told: Told = () => undefined): Promise<boolean> {
  const known = await readRecord(job.path)
  if (known !== undefined && known.plan === job.plan && (await isWhole(job.path, known))) return true
  await rm(`${job.path}.json`, { force: true })
  await loadSharp()
  const record = await writeShard(job, told)
  await placeFile(`${job.path}.json`, new TextEncoder().encode(JSON.stringify(record)))
  return false
}

/** The record of a shard, or undefined where there is none that can be read. */
export async function readRecord(path: string): Promise<ShardRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Partial<ShardRecord>
    return record.version === 1 && Array.isArray(record.labels) ? (record as ShardRecord) : undefined
  } catch {
    return undefined
  }
}

async function isWhole(path: string, { bytes, sha256 }: ShardRecord): Promise<boolean> {
  const size = await stat(`${path}.shard`).then(
    (found) => found.size,
    () => -1,
  )
  return size === bytes && (await sha256OfFile(`${path}.shard`)) === sha256
}

async function writeShard(job: ShardJob, told: Told): Promise<ShardRecord> {
  const temporary = `${job.path}.${randomUUID()}.tmp`
  const file = await open(temporary, 'wx')
  try {
    const hash = createHash('sha256')
    const colours = new ColourCounter()
    const [labels, lengths, names]: [number[], number[], string[]] = [[], [], []]
    const sums: number[] = []
    const bad: BadImage[] = []
    let bytes = 0
    try {
      for await (const { image, planes, data, reason } of inOrder(job)) {
        if (planes === undefined || data === undefined) {
          if (job.onBad === 'fail') throw new DataError(`${join(job.root, image.name)}: ${reason}`)
          bad.push({ name: image.name, reason })
        } else {
          colours.add(planes, 0, job.size * job.size)
          hash.update(data)
          await file.writeFile(data)
          labels.push(image.label)
          lengths.push(data.length)
          sums.push(crc32(data))
          names.push(image.name)
          bytes += data.length
        }
        told(planes === undefined ? bad.at(-1) : undefined)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, `${job.path}.shard`)
    const common = { version: 1, plan: job.plan, images: labels.length, bytes, sha256: hash.digest('hex') } as const
    const ofEach = { labels, ...(job.encoding === 'jpeg' && { lengths }), sums: encodeSums(sums), names }
    return { ...common, ...ofEach, bad, colours: colours.sums }
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof DataError) throw error
    throw new DataError(`${job.path}.shard: expected to write it, got ${reasonOf(error)}`, { cause: error })
  }
}

function encodeSums(sums: readonly number[]): string {
  const bytes = new DataView(new ArrayBuffer(4 * sums.length))
  for (const [i, sum] of sums.entries()) bytes.setUint32(4 * i, sum, true)
  return Buffer.from(bytes.buffer).toString('base64')
}

/** CRC-32 of each image, of an index or a record. */
export function decodeSums(text: string): DataView {
  const bytes = Buffer.from(text, 'base64')
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** A decoded image, or why there is none. */
interface Decoded {
  readonly image: TreeImage
  readonly planes?: Uint8Array
  readonly data?: Uint8Array
  readonly reason: string
}

/** The images of a job in its order, a few decoded ahead. */
async function* inOrder(job: ShardJob): AsyncGenerator<Decoded, void, undefined> {
  const queue: Promise<Decoded>[] = []
  for (const image of job.images) {
    queue.push(decode(job, image))
    if (queue.length >= AT_ONCE) yield await queue.shift()!
  }
  while (queue.length > 0) yield await queue.shift()!
}

async function decode({ root, size, encoding, quality }: ShardJob, image: TreeImage): Promise<Decoded> {
  const path = join(root, image.name)
  try {
    const bytes = await readImage(path)
    const { part } = image
    const { data: planes } =
      part === undefined
        ? await decodeImage(bytes, path, size)
        : await decodePart(bytes, path, (width, height) => enlarged(part, part.by, width, height), size)
    const data = encoding === 'u8' ? planes : await encodeJpeg(planes, size, quality)
    return { image, planes, data, reason: '' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { image, reason: message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message }
  }
}
