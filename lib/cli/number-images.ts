// What `ostrich read` reads: a checkpoint of a network that reads numbers, and images from files, with boxes and numbers of a list, or from the
// test part of its recipe.
import { basename } from 'node:path'
import { DataError, type Dataset } from '../data/index.js'
import { type NumberImage, readDigitStruct } from '../data/numbers/digit-struct.js'
import { MOST_DIGITS } from '../data/numbers/number.js'
import { readNumberImage } from '../data/numbers/read-number.js'
import { boxAround, type Part } from '../data/image/part.js'
import { load, type Model } from '../infer/index.js'
import { type Recipe, recipes } from '../recipes/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { named, type Output, UsageError } from './command.js'
import { type DataChoice, placeOfData, savedChoice } from './data-option.js'
import { fetchData } from './fetch.js'
import { checkpointOf, loadOptionsOf, type PlaceValues, recipeIn } from './language-model.js'

/** An image of a number: u8 [3, side, side]. */
export interface NumberedImage {
  readonly name: string
  readonly x: Uint8Array
  /** What it shows, where that is known: its digits, or undefined for more than five. */
  readonly truth?: { readonly number: string | undefined } | undefined
}

/** A trained network that reads numbers, ready for use. */
export interface LoadedNumberReader {
  readonly path: string
  readonly recipe: Recipe
  readonly model: Model
  /** Of its images. */
  readonly side: number
  /** Where its data was, if that was said. */
  readonly choice: DataChoice
}

/** @throws UsageError for a checkpoint of anything but a network that reads numbers; what `load` throws */
export async function loadNumberReader(given: string, place: PlaceValues): Promise<LoadedNumberReader> {
  const path = await checkpointOf(given)
  const info = await inspectCheckpoint(path)
  const name = recipeIn(info?.config)
  const expected = `${path}: expected a checkpoint of a network that reads numbers`
  if (name === undefined) throw new UsageError(`${expected}, got one of no recipe`)
  const recipe = named('recipe', name, recipes)
  const { net, example, inputs, readsNumbers } = recipe.build()
  if (readsNumbers !== true) throw new UsageError(`${expected}, got one of ${name}`)
  const options = { ...loadOptionsOf(example, place), ...(inputs !== undefined && { inputs }) }
  const model = await load(path, net, options)
  return { path, recipe, model, side: example.shape[1]!, choice: savedChoice(info?.config) }
}

/** How files are read. */
export interface FileChoice {
  readonly side: number
  /** `left,top,width,height` */
  readonly box: string | undefined
  /** The path of a list of boxes and digits. */
  readonly labels: string | undefined
}

/** The images of files; what cannot be read is told and left out. @throws UsageError for what is no box; DataError for what is no list */
export async function filesOf(
  files: readonly string[],
  { side, box, labels }: FileChoice,
  output: Output,
): Promise<readonly NumberedImage[]> {
  const part = box === undefined ? undefined : partOf(box)
  const list = labels === undefined ? undefined : await readDigitStruct(labels)
  const known = new Map((list ?? []).map((image) => [image.filename, image]))
  const images: NumberedImage[] = []
  for (const file of files) {
    try {
      images.push(await imageOf(file, side, part, labels, known))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      output.note(error.message)
    }
  }
  return images
}

async function imageOf(
  file: string,
  side: number,
  part: Part | undefined,
  labels: string | undefined,
  known: ReadonlyMap<string, NumberImage>,
): Promise<NumberedImage> {
  if (labels === undefined) return { name: file, x: await readNumberImage(file, side, part) }
  const listed = known.get(basename(file))
  if (listed === undefined) throw new DataError(`${file}: expected it in ${labels}, got no such name there`)
  const number = listed.boxes.map(({ label }) => label).join('')
  const x = await readNumberImage(file, side, boxAround(listed.boxes))
  return { name: file, x, truth: { number: number.length > MOST_DIGITS ? undefined : number } }
}

/** @throws UsageError for what is no box with a size */
function partOf(text: string): Part {
  const numbers = text.split(',').map((one) => (one.trim() === '' ? NaN : Number(one)))
  const [left = NaN, top = NaN, width = NaN, height = NaN] = numbers
  if (numbers.length !== 4 || !numbers.every(Number.isFinite) || width <= 0 || height <= 0) {
    throw new UsageError(`--box expects left,top,width,height in pixels, got ${text}`)
  }
  return { left, top, width, height }
}

/** The first images of the test part. @throws UsageError where there are fewer */
export async function testImages(
  { recipe, choice }: LoadedNumberReader,
  count: number,
  output: Output,
): Promise<readonly NumberedImage[]> {
  if (choice.data === undefined) await fetchData(recipe.data, output)
  const { test } = await recipe.data.load(placeOfData(recipe, choice))
  const set = test as Dataset
  if (count > set.length)
    throw new UsageError(`--test expects at most ${set.length}, as there are so many, got ${count}`)
  const width = set.fields['x']!.shape.reduce((product, extent) => product * extent, 1)
  const x = new Uint8Array(count * width)
  const [length, digits] = [new Int32Array(count), new Int32Array(count * MOST_DIGITS)]
  const places = Array.from({ length: count }, (_, i) => i)
  await set.gather(places, { x, length, digits })
  return Array.from(length, (many, i) => {
    const number = [...digits.subarray(i * MOST_DIGITS, i * MOST_DIGITS + many)].join('')
    return {
      name: `test ${i + 1}`,
      x: x.subarray(i * width, (i + 1) * width),
      truth: { number: many > MOST_DIGITS ? undefined : number },
    }
  })
}
