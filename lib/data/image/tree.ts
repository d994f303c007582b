// Finds the images of a folder: a folder for each class (`train/<class>/*`, or the root's own folders), and ILSVRC2012's
// validation images, which lie in one folder with their labels in a file. Reads names, not images.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError, reasonOf } from '../errors.js'
import { drawnShare } from '../split.js'
import { type LabelOptions, readLabels } from './labels.js'
import type { Part } from './part.js'

/** Names that are taken for images; what they hold is seen when they are decoded. */
const IMAGE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i
/** What the folders may be called. */
const VALIDATION = ['val', 'validation', 'test']

/** An image of a tree: its path from the root, and its class. */
export interface TreeImage {
  readonly name: string
  readonly label: number
  /** The part of it that is packed, in its pixels, enlarged by a share of `by`. Default: its middle. */
  readonly part?: Part & { readonly by: number }
}

/** The images of a tree, in the order of their names. */
export interface ImageTree {
  readonly root: string
  /** Names of the classes, sorted; their places are the labels. */
  readonly classes: readonly string[]
  readonly train: readonly TreeImage[]
  readonly validation: readonly TreeImage[]
  /** Files that are no images by their names; hidden ones are not counted. */
  readonly passedOver: readonly string[]
}

/** Options of `readTree`. */
export interface TreeOptions extends LabelOptions {
  /** Of each class, the share of images that is held back for validation, drawn by `seed`, in a tree that has no validation images. */
  readonly share?: number
  /** Draws what is held back. Default: 1. */
  readonly seed?: number
}

interface Found {
  readonly images: TreeImage[]
  readonly passedOver: string[]
}

/** As `readTree` of the room says. */
export async function readTree(root: string, options: TreeOptions): Promise<ImageTree> {
  const top = await foldersOf(root)
  const trained = top.includes('train')
  const base = trained ? 'train' : ''
  const held = trained ? VALIDATION.find((name) => top.includes(name)) : undefined
  const classes = trained ? await foldersOf(join(root, base)) : top
  if (classes.length < 2) {
    const expected = 'a folder for each class, in train/ or by itself'
    throw new DataError(`${root}: expected ${expected}, got ${classes.length === 0 ? 'none' : `only ${classes[0]!}`}`)
  }
  const train = await imagesOf(root, base, classes)
  if (train.images.length === 0) {
    const expected = 'images (.jpg, .jpeg, .png, .webp, .gif, .tif, .avif) in the folders of the classes'
    throw new DataError(`${join(root, base)}: expected ${expected}, got none`)
  }
  const validation = held === undefined ? { images: [], passedOver: [] } : await heldOut(root, held, classes, options)
  const passedOver = [...train.passedOver, ...validation.passedOver]
  if (options.share === undefined) {
    return { root, classes, train: train.images, validation: validation.images, passedOver }
  }
  if (held !== undefined) {
    throw new DataError(`${root}: expected a tree without validation images to hold a share of, got ${held}/`)
  }
  return { root, classes, ...heldShare(train.images, classes, options.share, options.seed), passedOver }
}

/** A share of each class, so that small ones have their part. */
function heldShare(
  images: readonly TreeImage[],
  classes: readonly string[],
  share: number,
  seed = 1,
): Pick<ImageTree, 'train' | 'validation'> {
  const parts = classes.map((name, label) => {
    const own = images.filter((image) => image.label === label)
    const places = drawnShare(`readTree(${name})`, own.length, share, seed, label)
    const of = (chosen: Uint32Array): TreeImage[] => Array.from(chosen, (i) => own[i]!)
    return { train: of(places.train), validation: of(places.validation) }
  })
  return { train: parts.flatMap(({ train }) => train), validation: parts.flatMap(({ validation }) => validation) }
}

async function heldOut(root: string, folder: string, classes: readonly string[], options: TreeOptions): Promise<Found> {
  const folders = await foldersOf(join(root, folder))
  if (options.labels !== undefined || folders.length === 0) return flatImages(root, folder, classes, options)
  const unknown = folders.find((name) => !classes.includes(name))
  if (unknown !== undefined) {
    throw new DataError(`${join(root, folder)}: expected the classes of train/, got a folder ${unknown}`)
  }
  return imagesOf(root, folder, classes, new Set(folders))
}

/** `<folder>/<class>/<image>`. */
async function imagesOf(
  root: string,
  folder: string,
  classes: readonly string[],
  present: ReadonlySet<string> = new Set(classes),
): Promise<Found> {
  const found: Found = { images: [], passedOver: [] }
  for (const [label, name] of classes.entries()) {
    if (!present.has(name)) continue
    const path = folder === '' ? name : `${folder}/${name}`
    for (const file of (await list(join(root, path))).sort()) {
      if (IMAGE.test(file)) found.images.push({ name: `${path}/${file}`, label })
      else found.passedOver.push(`${path}/${file}`)
    }
  }
  return found
}

/** `<folder>/<image>`, with the labels from a file. */
async function flatImages(
  root: string,
  folder: string,
  classes: readonly string[],
  options: TreeOptions,
): Promise<Found> {
  const files = (await list(join(root, folder))).sort()
  const names = files.filter((file) => IMAGE.test(file))
  if (names.length === 0) throw new DataError(`${join(root, folder)}: expected images, got none`)
  const labels = await readLabels(root, folder, names, classes, options)
  const images = names.map((name, i) => ({ name: `${folder}/${name}`, label: labels[i]! }))
  return { images, passedOver: files.filter((file) => !IMAGE.test(file)).map((file) => `${folder}/${file}`) }
}

/** Names in a folder, hidden ones left out. */
async function list(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.'))
  } catch (error) {
    throw new DataError(`${path}: expected a folder that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}

/** Folders in a folder, sorted; a folder that is called like an image is none. */
async function foldersOf(path: string): Promise<string[]> {
  const names = (await list(path)).filter((name) => !IMAGE.test(name))
  const kinds = await Promise.all(
    names.map((name) =>
      stat(join(path, name)).then(
        (found) => found.isDirectory(),
        () => false,
      ),
    ),
  )
  return names.filter((_, i) => kinds[i]).sort()
}
