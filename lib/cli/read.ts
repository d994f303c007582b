// ostrich read: images of numbers in, the numbers on them out, in their order. A file that cannot be read is named, and the others are read.
import { writeFile } from 'node:fs/promises'
import { percent } from '../report/index.js'
import { numberPage, type ShownNumber } from '../report/number-page.js'
import { numberPicture } from '../report/number-picture.js'
import { type NumberGuess, type NumberReading, readNumbers } from '../infer/index.js'
import { coverageOf } from '../train/coverage.js'
import { command, UsageError } from './command.js'
import { placeOptions } from './language-model.js'
import { filesOf, loadNumberReader, type NumberedImage, testImages } from './number-images.js'

/** Digits of a confidence. */
const DIGITS = 4
/** The accuracy that coverage is told at. */
const ACCURACY = 0.98

/** An image, and what was read off it. */
interface ReadImage extends NumberedImage {
  readonly reading: NumberReading
}

export const read = command({
  name: 'read',
  summary: 'read the numbers on images',
  arguments: ['<checkpoint|run>', '[image]', '...'],
  about: [
    'Reads the number on each image, all of it or nothing, and writes a line for each: its name, the number, how sure the network is, and the',
    'number that it would have said next. An image of any shape becomes a square; a box around the digits, or a list of boxes, says which part of it',
    'is meant. A file that cannot be read is named, the others are read, and the exit code is 1.',
  ].join('\n'),
  options: {
    box: { type: 'text', value: 'left,top,width,height', help: 'around all digits of the one image, in its pixels' },
    labels: {
      type: 'text',
      value: 'digitStruct.mat|.json|.csv',
      help: 'boxes and digits of the images, by their names: tells how many are read right',
    },
    test: { type: 'whole', help: 'read so many test images of the recipe in the place of files' },
    page: {
      type: 'text',
      value: 'file.html|.svg',
      help: 'show the images with what was read, the wrong ones first; .svg: a picture of some',
    },
    ...placeOptions,
    json: { type: 'flag', help: 'print JSON, a line for each image' },
  },
  examples: [
    'ostrich read runs/2026-01-31T09-05-00-house-numbers door.jpg --box 246,77,173,223',
    'ostrich read runs/2026-01-31T09-05-00-house-numbers test/*.png --labels test/digitStruct.mat --page read.html',
    'ostrich read runs/2026-01-31T09-05-00-house-numbers-strips --test 200 --page read.html',
  ],
  run: async ({ box, labels, test, page, json = false, ...place }, [given = '', ...files], output) => {
    if (test === 0) throw new UsageError('--test expects at least 1, got 0')
    if ((test === undefined) === (files.length === 0)) {
      throw new UsageError(`read expects images or --test, got ${files.length === 0 ? 'neither' : 'both'}`)
    }
    if (box !== undefined && (labels !== undefined || files.length !== 1)) {
      const got = labels === undefined ? `${files.length} images` : 'a list of them, too'
      throw new UsageError(`--box expects one image, got ${got}`)
    }
    const loaded = await loadNumberReader(given, place)
    const { recipe, model, path, side } = loaded
    try {
      const images =
        test === undefined
          ? await filesOf(files, { side, box, labels }, output)
          : await testImages(loaded, test, output)
      const found = images.length === 0 ? [] : await readNumbers(model, joined(images))
      const all = images.map((image, i): ReadImage => ({ ...image, reading: found[i]! }))
      const many = files.length > 1 || test !== undefined
      for (const one of all) output.line(json ? JSON.stringify(asJson(one)) : lineOf(one, many))
      const score = scoreOf(all)
      if (score !== undefined) output.note(score)
      if (page !== undefined) {
        const draw = page.endsWith('.svg') ? numberPicture : numberPage
        const about = [path, ...(score === undefined ? [] : [score])]
        await writeFile(
          page,
          draw({ title: `What ${recipe.name} read`, about, numbers: all.map((one) => shownOf(one, side)) }),
        )
        output.note(`${page} shows it`)
      }
      return test === undefined && all.length < files.length ? 1 : 0
    } finally {
      await model.dispose()
    }
  },
})

function joined(images: readonly NumberedImage[]): Uint8Array {
  const [first] = images
  const width = first!.x.length
  const x = new Uint8Array(images.length * width)
  for (const [i, image] of images.entries()) x.set(image.x, i * width)
  return x
}

/** A number in words. */
function numberText(number: string | undefined): string {
  if (number === undefined) return 'more than 5 digits'
  return number === '' ? 'no digits' : number
}

function lineOf({ name, reading }: ReadImage, many: boolean): string {
  const { number, confidence, runnerUp } = reading
  const next = `${numberText(runnerUp.number)} (${percent(runnerUp.confidence)})`
  return [...(many ? [name] : []), numberText(number), percent(confidence), next].join('\t')
}

function asJson(image: ReadImage): object {
  const { name, truth, reading } = image
  const guess = ({ number, length, confidence }: NumberGuess) => {
    return { number: number ?? null, length, confidence: Number(confidence.toFixed(DIGITS)) }
  }
  const known = truth && { truth: truth.number ?? null, right: isRight(image) }
  return { file: name, ...guess(reading), runnerUp: guess(reading.runnerUp), ...known }
}

const isRight = ({ truth, reading }: ReadImage): boolean => truth?.number === reading.number

/** How many of those that are known are right, and how many may be left to the network; undefined where none are known. */
function scoreOf(all: readonly ReadImage[]): string | undefined {
  const known = all.filter(({ truth }) => truth !== undefined)
  if (known.length === 0) return undefined
  const right = known.map((one) => Number(isRight(one)))
  const hits = right.reduce((sum, one) => sum + one, 0)
  const { coverage, threshold } = coverageOf(
    known.map(({ reading }) => reading.confidence),
    right,
    ACCURACY,
  )
  const share = `whole-number accuracy ${percent(hits / known.length)}, ${hits} of ${known.length}`
  return `${share}; coverage at 98 % ${percent(coverage)}, of a confidence of ${threshold.toFixed(DIGITS)} or more`
}

/** As a page or a picture shows it. */
function shownOf({ name, x, truth, reading }: ReadImage, side: number): ShownNumber {
  return {
    title: name,
    image: { data: x, channels: 3, height: side, width: side },
    read: numberText(reading.number),
    confidence: reading.confidence,
    next: numberText(reading.runnerUp.number),
    nextConfidence: reading.runnerUp.confidence,
    truth: truth && numberText(truth.number),
  }
}
