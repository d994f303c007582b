// ostrich predict: what a saved network sees in photographs.
import type { FieldSpec } from '../data/index.js'
import { decodeImage, type Planes, readImage } from '../data/image/decode.js'
import { alignedLines, barOf, percent } from '../report/index.js'
import { recipes } from '../recipes/index.js'
import { load } from '../infer/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { command, UsageError } from './command.js'
import { deviceOption } from './device-option.js'
import { recipeOf } from './eval.js'
import { checkpointOf } from './language-model.js'

/** A class, and the network's share of belief in it. */
interface Share {
  readonly name: string
  readonly share: number
}

export const predict = command({
  name: 'predict',
  summary: 'say what is on a photograph',
  arguments: ['<checkpoint|run>', '<photo>', '...'],
  about: [
    'Asks a saved network of images for the classes that it believes in most, with the share of each. A photograph of any size is',
    'scaled until its shorter side fits, and its middle is cut out.',
  ].join('\n'),
  options: {
    top: { type: 'whole', help: 'classes that are shown (default 5)' },
    recipe: {
      type: 'text',
      value: 'name',
      help: 'for a file that does not say its recipe',
      choices: recipes.map(({ name }) => name),
    },
    device: deviceOption,
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: [
    'ostrich predict runs/2026-01-31T09-05-00-cifar10-resnet photo.jpg',
    'ostrich predict net.safetensors *.png',
  ],
  run: async ({ top = 5, recipe: given, device, json }, [file = '', ...photos], output) => {
    if (top === 0) throw new UsageError('--top expects at least 1, got 0')
    const path = await checkpointOf(file)
    const info = await inspectCheckpoint(path)
    const recipe = recipeOf('predict', given, info?.config, path)
    const { net, inputs, example, readsNumbers } = recipe.build()
    if (readsNumbers === true) {
      throw new UsageError(
        `predict: expected a network that sorts images, got ${recipe.name}. See: ostrich read --help`,
      )
    }
    const field = info?.fields['x'] ?? example
    const { channels, side } = imagesOf(recipe.name, field)
    const planes = await Promise.all(photos.map(async (photo) => decodeImage(await readImage(photo), photo, side)))
    await using model = await load(path, net, {
      input: field,
      ...(inputs !== undefined && { inputs }),
      ...(device !== undefined && { device: device as 'auto' }),
    })
    const x = new Uint8Array(photos.length * channels * side ** 2)
    for (const [i, image] of planes.entries()) x.set(channelsOf(image, channels), i * channels * side ** 2)
    const logits = (await model.predict(x)) as Float32Array
    const classes = logits.length / photos.length
    const made = photos.map((photo, i) => {
      const own = logits.subarray(i * classes, (i + 1) * classes)
      return { photo, classes: sharesOf(own, info?.classes).slice(0, top) }
    })
    if (json === true) output.line(JSON.stringify(made, undefined, 2))
    else for (const one of made) output.line([one.photo, ...rows(one.classes)].join('\n'))
    return 0
  },
})

function rows(classes: readonly Share[]): string[] {
  const cells = classes.map(({ name, share }) => [name, percent(share), barOf(share, 30)])
  return alignedLines(
    cells.map(([name = '', share = '']) => [name, share]),
    1,
  ).map((line, i) => `  ${line}  ${cells[i]?.[2] ?? ''}`.trimEnd())
}

/** @throws UsageError for a network of anything but square images of bytes */
function imagesOf(recipe: string, { dtype, shape }: FieldSpec): { readonly channels: number; readonly side: number } {
  const [channels = 0, height = 0, width = 0] = shape
  if (dtype === 'u8' && shape.length === 3 && height === width && [1, 3].includes(channels))
    return { channels, side: height }
  throw new UsageError(`predict: expected a network of square images, got ${recipe}, of ${dtype} [${shape.join(', ')}]`)
}

/** The planes, or their brightness for a network that sees no colours (ITU-R BT.601). */
function channelsOf({ data }: Planes, channels: number): Uint8Array {
  if (channels === 3) return data
  const count = data.length / 3
  return Uint8Array.from({ length: count }, (_, i) =>
    Math.round(0.299 * data[i]! + 0.587 * data[count + i]! + 0.114 * data[2 * count + i]!),
  )
}

/** Softmax of the logits, the largest first. */
function sharesOf(logits: Float32Array, names: readonly string[] | undefined): Share[] {
  const most = Math.max(...logits)
  const powers = Array.from(logits, (logit) => Math.exp(logit - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  const shares = powers.map((power, i) => ({ name: names?.[i] ?? `class ${i}`, share: power / sum }))
  return shares.sort((a, b) => b.share - a.share)
}
