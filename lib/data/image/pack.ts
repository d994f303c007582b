// Packs a tree of images into shards of one size: read once at full size, then trained from at the speed of the disk.
// The folder holds `plan.json` (what is being made), `train/00000.shard` and so on, and, once all is there, `bad.json` and
// `index.json`. A run that was stopped, however, goes on with the shards that are not there or not whole.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { permutation, wholeNumber } from '../batches.js'
import { placeFile } from '../cache.js'
import { DataError, reasonOf } from '../errors.js'
import { loadSharp } from './decode.js'
import { INDEX, type PackedIndex, type PackedShard, sealed } from './packed-index.js'
import { ownPacker, type Packer, startPacker } from './packers.js'
import { type BadImage, type Encoding, readRecord, type ShardJob, type ShardRecord } from './shard.js'
import { addSums, statisticsOf } from './statistics.js'
import { type ImageTree, readTree, type TreeImage, type TreeOptions } from './tree.js'

/** How far packing has come. */
export interface PackProgress {
  readonly done: number
  readonly total: number
  /** Files that are no images, so far. */
  readonly bad: number
}

/** Options of `packImages`. */
export interface PackOptions extends TreeOptions {
  /** Side of the packed images. Default 256. */
  readonly size?: number
  /** `u8`: pixels (196,608 bytes at 256 x 256), read at the disk's speed; `jpeg`: about a tenth of it, decoded at every read. */
  readonly format?: Encoding
  /** Of JPEG, 1 to 100. Default 90. */
  readonly quality?: number
  /** Processes that decode; 0: this one. Default 0. */
  readonly workers?: number
  /** Images in one shard. Default 2,048. */
  readonly shardSize?: number
  /** What to do with a file that is no whole image: leave it out and name it in `bad.json`, or stop. Default `skip`. */
  readonly onBad?: 'skip' | 'fail'
  /** Called after each image. */
  readonly onProgress?: (progress: PackProgress) => void
}

/** What was packed. */
export interface PackResult {
  readonly train: number
  readonly validation: number
  readonly classes: readonly string[]
  readonly bytes: number
  /** Files that are no images, by name. */
  readonly bad: readonly BadImage[]
  /** Files that were not looked into, as their names say that they are no images. */
  readonly passedOver: readonly string[]
  /** Shards that were there and whole. */
  readonly present: number
}

interface Plan {
  readonly version: 1
  readonly plan: string
  readonly size: number
  readonly format: Encoding
  readonly quality: number
  readonly shardSize: number
  readonly images: number
  readonly classes: number
}

/** A part of the tree and its shards. */
interface Split {
  readonly name: 'train' | 'validation'
  readonly jobs: readonly ShardJob[]
}

/** Decides the order in which training images are packed, so that every shard has images of all classes. */
const ORDER_SEED = 0

/** As `packImages` of the room says. */
export async function packImages(root: string, out: string, options: PackOptions): Promise<PackResult> {
  checkOptions(options)
  await loadSharp()
  return packTree(await readTree(root, options), out, options)
}

/** Packs the images of a tree that was read. */
export async function packTree(tree: ImageTree, out: string, options: PackOptions): Promise<PackResult> {
  checkOptions(options)
  const { size = 256, format = 'u8', quality = 90, workers = 0, shardSize = 2048 } = options
  const { root } = tree
  const images = tree.train.length + tree.validation.length
  const order = permutation(tree.train.length, ORDER_SEED, 0)
  const parts = { train: Array.from(order, (i) => tree.train[i]!), validation: tree.validation }
  const settings = { version: 1, size, format, quality: format === 'jpeg' ? quality : 0, shardSize } as const
  const hash = hashOf([settings, tree.classes], [...parts.train, ...parts.validation])
  const plan: Plan = { ...settings, plan: hash, images, classes: tree.classes.length }
  await claim(out, plan)
  const splits = (['train', 'validation'] as const)
    .filter((name) => parts[name].length > 0)
    .map((name) => ({ name, jobs: jobsOf(root, join(out, name), parts[name], plan, options.onBad ?? 'skip') }))
  const present = await packAll(splits, workers, images, options)
  const records = await Promise.all(splits.map(({ jobs }) => Promise.all(jobs.map((job) => recordOf(job)))))
  const bad = records.flat().flatMap((record) => record.bad)
  const [first] = bad
  if (options.onBad === 'fail' && first !== undefined) throw new DataError(`${join(root, first.name)}: ${first.reason}`)
  await finish(out, plan, tree.classes, splits, records, bad)
  const countOf = (name: string): number =>
    (records[splits.findIndex((split) => split.name === name)] ?? []).reduce((sum, record) => sum + record.images, 0)
  const bytes = records.flat().reduce((sum, record) => sum + record.bytes, 0)
  const { classes, passedOver } = tree
  return { train: countOf('train'), validation: countOf('validation'), classes, bytes, bad, passedOver, present }
}

function checkOptions(options: PackOptions): void {
  const { size = 256, format = 'u8', quality = 90, workers = 0, shardSize = 2048, onBad = 'skip' } = options
  wholeNumber('pack', 'size', size, 8, 4096)
  wholeNumber('pack', 'quality', quality, 1, 100)
  wholeNumber('pack', 'workers', workers, 0, 1024)
  wholeNumber('pack', 'shardSize', shardSize, 1, 2 ** 20)
  const choices: readonly (readonly [string, string, readonly string[]])[] = [
    ['format', format, ['u8', 'jpeg']],
    ['onBad', onBad, ['skip', 'fail']],
  ]
  for (const [name, value, known] of choices) {
    if (!known.includes(value)) throw new DataError(`pack[${name}]: expected ${known.join(' or ')}, got ${value}`)
  }
}

/** Hash of the settings and of every image's name, label and part, in order. */
function hashOf(settings: unknown, images: readonly TreeImage[]): string {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const { name, label, part } of images) {
    hash.update(`\n${label} ${name}${part === undefined ? '' : ` ${JSON.stringify(part)}`}`)
  }
  return hash.digest('hex')
}

/** Makes the folder ours: it is empty, or holds the same plan. Removes what a killed run left half written. */
async function claim(out: string, plan: Plan): Promise<void> {
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw new DataError(`${out}: expected a folder to write to, got ${reasonOf(error)}`, { cause: error })
  })
  const names = await readdir(out)
  const path = join(out, 'plan.json')
  if (names.includes('plan.json')) {
    const saved = JSON.parse(await readFile(path, 'utf8')) as Plan
    if (saved.plan !== plan.plan) {
      const keys = ['size', 'format', 'quality', 'shardSize', 'images', 'classes'] as const
      const changed = keys.find((key) => saved[key] !== plan[key])
      const told =
        changed === undefined ? 'images of other names' : `${changed} ${saved[changed]}, not ${plan[changed]}`
      throw new DataError(
        `${out}: expected a folder that is being packed from the same images with the same options, got ${told}`,
      )
    }
  } else if (names.length > 0) {
    throw new DataError(
      `${out}: expected an empty folder, or one that is being packed, got ${names.length} other files`,
    )
  }
  await placeFile(path, json(plan))
  for (const name of ['train', 'validation']) {
    const folder = join(out, name)
    await mkdir(folder, { recursive: true })
    for (const file of await readdir(folder)) if (file.endsWith('.tmp')) await rm(join(folder, file), { force: true })
  }
}

function jobsOf(
  root: string,
  folder: string,
  images: readonly TreeImage[],
  { plan, size, format: encoding, quality, shardSize }: Plan,
  onBad: 'skip' | 'fail',
): ShardJob[] {
  return Array.from({ length: Math.ceil(images.length / shardSize) }, (_, i) => ({
    root,
    path: join(folder, i.toString().padStart(5, '0')),
    plan,
    size,
    encoding,
    quality,
    onBad,
    images: images.slice(i * shardSize, (i + 1) * shardSize),
  }))
}

/** Every job, by as many packers as there is work for; returns how many shards were there. */
async function packAll(
  splits: readonly Split[],
  workers: number,
  total: number,
  { onProgress = () => undefined }: PackOptions,
): Promise<number> {
  const jobs = splits.flatMap((split) => split.jobs)
  const packers: Packer[] =
    workers === 0 ? [ownPacker] : Array.from({ length: Math.min(workers, jobs.length) }, () => startPacker())
  let [next, done, bad, present] = [0, 0, 0, 0]
  const work = async (packer: Packer): Promise<void> => {
    while (next < jobs.length) {
      const job = jobs[next++]!
      const there = await packer.pack(job, (one) => {
        done++
        if (one !== undefined) bad++
        onProgress({ done, total, bad })
      })
      if (!there) continue
      present++
      done += job.images.length
      onProgress({ done, total, bad })
    }
  }
  try {
    await Promise.all(packers.map(work))
  } finally {
    next = jobs.length
    for (const packer of packers) packer.end()
  }
  return present
}

async function recordOf({ path }: ShardJob): Promise<ShardRecord> {
  const record = await readRecord(path)
  if (record === undefined) throw new DataError(`${path}.json: expected the record of a shard, got none`)
  return record
}

/** Writes the list of bad files, then the index, which says that all is there. */
async function finish(
  out: string,
  { size, format, quality }: Plan,
  classes: readonly string[],
  splits: readonly Split[],
  records: readonly (readonly ShardRecord[])[],
  bad: readonly BadImage[],
): Promise<void> {
  const shardsOf = (name: string): PackedShard[] => {
    const at = splits.findIndex((split) => split.name === name)
    return (records[at] ?? []).map(({ images, bytes, sha256, labels, lengths, sums }, i) => {
      const file = `${name}/${i.toString().padStart(5, '0')}.shard`
      return { file, images, bytes, sha256, labels, ...(lengths && { lengths }), ...(sums !== undefined && { sums }) }
    })
  }
  const [train, validation] = [shardsOf('train'), shardsOf('validation')]
  if (train.every(({ images }) => images === 0)) {
    throw new DataError(`${out}: expected training images, got ${bad.length} files of which none could be decoded`)
  }
  const trained = records[splits.findIndex((split) => split.name === 'train')] ?? []
  const statistics = statisticsOf(addSums(trained.map((record) => record.colours)))
  const index: PackedIndex = {
    format: 'ostrich-images',
    version: 2,
    encoding: format,
    ...(format === 'jpeg' && { quality }),
    size,
    classes,
    statistics,
    bad: bad.length,
    train,
    validation,
  }
  await placeFile(join(out, 'bad.json'), json(bad))
  await placeFile(join(out, INDEX), new TextEncoder().encode(sealed(index)))
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)
}
