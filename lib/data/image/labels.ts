// The labels of a flat folder of validation images, from whichever of the usual files there is:
//   val.txt (Caffe)           ILSVRC2012_val_00000001.JPEG 65      the number is the place of the class, sorted by name, from 0
//   val_map.txt               ILSVRC2012_val_00000001.JPEG n01751748
//   LOC_val_solution.csv      ILSVRC2012_val_00000001,n01751748 115 49 448 294     (Kaggle)
//   ILSVRC2012_validation_ground_truth.txt      490                the devkit's: a line for each image, in the order of names
// The devkit's numbers are its own, not places in a sorted list: its meta.mat says which is which, as does a text file with
// lines of a wnid and a number (map_clsloc.txt). Without one of them they are refused.
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DataError, reasonOf } from '../errors.js'
import { isMatFile } from '../mat5.js'
import { readSynsets } from './matlab.js'

const DEVKIT = 'ILSVRC2012_devkit_t12/data'
const GROUND_TRUTH = 'ILSVRC2012_validation_ground_truth.txt'
const LABEL_FILES = ['val_map.txt', 'val.txt', 'LOC_val_solution.csv', GROUND_TRUTH]
const SYNSET_FILES = ['meta.mat', 'map_clsloc.txt']
const ACCEPTED =
  'lines "filename class" or "filename number" (val.txt), LOC_val_solution.csv, or ILSVRC2012_validation_ground_truth.txt with its meta.mat'

/** Where labels are. */
export interface LabelOptions {
  /** The file with the labels of a flat validation folder; default: one of the usual names, beside the images or above them. */
  readonly labels?: string
  /** The file that says which class each number of the devkit's ground truth is: its meta.mat, or lines of a wnid and a number. */
  readonly synsets?: string
}

/**
 * The labels of the images `names` of the folder.
 * @throws DataError where there is no such file, it does not name every image, or names an unknown class
 */
export async function readLabels(
  root: string,
  folder: string,
  names: readonly string[],
  classes: readonly string[],
  { labels, synsets }: LabelOptions,
): Promise<number[]> {
  const places = [join(root, folder), root, join(root, DEVKIT), join(root, 'data')]
  const path = labels ?? (await firstOf(places, LABEL_FILES))
  if (path === undefined) {
    const at = join(root, folder)
    throw new DataError(
      `${at}: expected its labels in a file (--labels): ${ACCEPTED}; got none in ${places.join(', ')}`,
    )
  }
  const lines = (await text(path)).split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.every((line) => /^\s*\d+\s*$/.test(line))) {
    return groundTruth(path, lines, names, classes, await synsetsOf(synsets, [dirname(path), ...places], path))
  }
  return named(path, lines, names, classes)
}

/** Lines that name their image. */
function named(path: string, lines: readonly string[], names: readonly string[], classes: readonly string[]): number[] {
  const stem = (name: string): string => name.replace(/^.*\//, '').replace(/\.[^.]*$/, '')
  const byName = new Map<string, number>()
  for (const [i, line] of lines.entries()) {
    if (i === 0 && /^ImageId,/i.test(line)) continue
    const [name, label] = line.trim().split(/[,\s]+/)
    if (name === undefined || label === undefined) {
      throw new DataError(`${path}: expected ${ACCEPTED}, got '${line.slice(0, 80)}' at line ${i + 1}`)
    }
    byName.set(stem(name), labelOf(label, classes, `${path}: line ${i + 1}`))
  }
  return names.map((name) => {
    const label = byName.get(stem(name))
    if (label === undefined) throw new DataError(`${path}: expected a label for ${name}, got none`)
    return label
  })
}

function labelOf(text: string, classes: readonly string[], where: string): number {
  const place = classes.indexOf(text)
  if (place >= 0) return place
  const number = Number(text)
  if (/^\d+$/.test(text) && number < classes.length) return number
  const expected = `one of the ${classes.length} classes of train/, or its place from 0 to ${classes.length - 1}`
  throw new DataError(`${where}: expected ${expected}, got ${text}`)
}

/** Lines of the devkit's numbers, in the order of the images' names. */
function groundTruth(
  path: string,
  lines: readonly string[],
  names: readonly string[],
  classes: readonly string[],
  synsets: ReadonlyMap<number, string>,
): number[] {
  if (lines.length !== names.length) {
    throw new DataError(`${path}: expected ${names.length} lines, one for each image, got ${lines.length}`)
  }
  return lines.map((line, i) => {
    const wnid = synsets.get(Number(line))
    const label = wnid === undefined ? -1 : classes.indexOf(wnid)
    if (label >= 0) return label
    const got = wnid === undefined ? `a number that no synset has` : `${wnid}, which train/ does not have`
    throw new DataError(`${path}: line ${i + 1}: expected the number of a class of train/, got ${line.trim()}, ${got}`)
  })
}

async function synsetsOf(
  given: string | undefined,
  places: readonly string[],
  labels: string,
): Promise<ReadonlyMap<number, string>> {
  const path = given ?? (await firstOf(places, SYNSET_FILES))
  if (path === undefined) {
    const expected = "the devkit's meta.mat (--synsets), as its numbers are not in the order of the classes' names"
    throw new DataError(`${labels}: expected ${expected}, got none`)
  }
  const bytes = await contents(path)
  if (isMatFile(bytes)) return readSynsets(bytes, path)
  const numbers = new Map<number, string>()
  for (const [i, line] of new TextDecoder().decode(bytes).split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const words = line.trim().split(/[,\s]+/)
    const wnid = words.find((word) => /^n\d{8}$/.test(word))
    const number = words.slice(0, 2).find((word) => /^\d{1,4}$/.test(word))
    if (wnid === undefined || number === undefined) {
      throw new DataError(
        `${path}: expected meta.mat, or lines of a wnid and its number, got '${line.slice(0, 80)}' at line ${i + 1}`,
      )
    }
    numbers.set(Number(number), wnid)
  }
  return numbers
}

async function firstOf(folders: readonly string[], names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      const found = await stat(path).then(
        (one) => one.isFile(),
        () => false,
      )
      if (found) return path
    }
  }
  return undefined
}

async function contents(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new DataError(`${path}: expected a file that can be read, got ${reasonOf(error)}`, { cause: error })
  }
}

async function text(path: string): Promise<string> {
  return new TextDecoder().decode(await contents(path))
}
