// ostrich fool: "every image is an ostrich": images of each class of a saved network's test set, changed as little as it takes for
// the network to see one class in all of them. A table by class, and a page with pictures.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cifar10Classes, type Dataset } from '../data/index.js'
import { type Fooled, foolAll } from '../experiments/index.js'
import { alignedLines, createProgress } from '../report/index.js'
import { type Gallery, page } from '../report/page.js'
import { type Recipe, recipes } from '../recipes/index.js'
import { load } from '../infer/index.js'
import { inspectCheckpoint } from '../train/index.js'
import { command, type Output, UsageError } from './command.js'
import { deviceOption } from './device-option.js'
import { savedChoice } from './data-option.js'
import { recipeOf } from './eval.js'
import { fetchData } from './fetch.js'

export const fool = command({
  name: 'fool',
  summary: 'turn every class into one by changes that nobody sees',
  arguments: ['<checkpoint>'],
  about: [
    'Takes images of each class from the test set of a saved network, and finds for each the least change with which the network',
    'sees the class of --as in it. Prints how large the changes are, by class, and writes fool.json and a page with pictures,',
    'index.html. With AlexNet, trained on ImageNet, and --as "ostrich" (class 9) this is figure 5 of Szegedy et al. 2013.',
  ].join('\n'),
  options: {
    as: { type: 'text', value: 'class', help: 'class to be seen, by name or number (default: the first)' },
    images: { type: 'whole', help: 'images of each class (default 10)' },
    classes: { type: 'whole', help: 'classes, from the first on (default: all, at most 50)' },
    recipe: {
      type: 'text',
      value: 'name',
      help: 'for a file that does not say its recipe',
      choices: recipes.map(({ name }) => name),
    },
    data: { type: 'text', value: 'folder', help: 'where the data is (default: where `ostrich data` keeps it)' },
    device: deviceOption,
    out: { type: 'text', value: 'folder', help: 'where the files go (default fool)' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich fool runs/2026-01-31T09-05-00-cifar10/last.safetensors --as bird'],
  run: async (
    { as, images = 10, classes = 50, recipe: given, data, device, out = 'fool', json },
    [path = ''],
    output,
  ) => {
    if (images === 0 || classes === 0) throw new UsageError('--images and --classes expect at least 1, got 0')
    const info = await inspectCheckpoint(path)
    const recipe = recipeOf('fool', given, info?.config, path)
    const dir = data ?? savedChoice(info?.config).data?.[0]
    if (dir === undefined) await fetchData(recipe.data, output)
    const { net, inputs, example } = recipe.build()
    const { test, validation } = await recipe.data.load(dir === undefined ? {} : { dir })
    const measured = test ?? validation
    if (measured === undefined || 'tokens' in measured)
      throw new UsageError(`fool: expected data with test or validation images, got none in ${dir ?? ''}`)
    await using model = await load(path, net, {
      input: example,
      precision: 'f32',
      ...(inputs !== undefined && { inputs }),
      ...(device !== undefined && { device: device as 'auto' }),
    })
    const names = namesOf(recipe, measured)
    const target = classNumber(as, names)
    const progress = createProgress({ stream: process.stderr })
    try {
      const found = await foolAll(model, net, measured, {
        target,
        images,
        classes,
        ...(inputs?.['x'] !== undefined && { input: inputs['x'] }),
        onProgress: (done, total) => {
          progress.update({ what: 'attacking', done, total, unit: 'images' })
        },
      })
      progress.finish()
      await write(out, { recipe, found, names, target })
      if (json === true) output.line(JSON.stringify(found.rows, undefined, 2))
      else say(found, names, target, output)
      output.note(`written to ${join(out, 'index.html')} and fool.json`)
      return 0
    } finally {
      progress.finish()
    }
  },
})

const nameOf = (names: readonly string[], label: number) => names[label] ?? `class ${label}`

function namesOf({ data }: Recipe, set: Dataset): readonly string[] {
  if (data.name === 'cifar10') return cifar10Classes
  const { classes } = set as { readonly classes?: unknown }
  return Array.isArray(classes) ? classes.map(String) : []
}

function classNumber(as: string | undefined, names: readonly string[]): number {
  if (as === undefined) return 0
  const place = names.indexOf(as)
  if (place >= 0) return place
  const number = Number(as)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new UsageError(`--as expects a class by name or number, got ${as}. Known: ${names.join(', ') || 'numbers'}`)
}

interface Written {
  readonly recipe: Recipe
  readonly found: Fooled
  readonly names: readonly string[]
  readonly target: number
}

async function write(out: string, { recipe, found, names, target }: Written): Promise<void> {
  await mkdir(out, { recursive: true })
  await writeFile(
    join(out, 'fool.json'),
    `${JSON.stringify({ recipe: recipe.name, target, rows: found.rows }, undefined, 2)}\n`,
  )
  const galleries = found.pictures.map(({ label, pictures }): Gallery => ({
    title: nameOf(names, label),
    channels: found.channels,
    side: found.side,
    pictures: pictures.map(({ before, after, ...picture }) => ({
      ...picture,
      label: nameOf(names, label),
      before: nameOf(names, before),
      after: nameOf(names, after),
    })),
  }))
  const about = [
    `The network of ${recipe.name}, and images of its test set: left the image, in the middle the change, magnified, right their sum, rounded to 8 bits as an image file keeps it.`,
  ]
  await writeFile(
    join(out, 'index.html'),
    page({ title: `Everything is a ${nameOf(names, target)}`, about, galleries, tables: [] }),
  )
}

function say({ rows }: Fooled, names: readonly string[], target: number, output: Output): void {
  const shown = rows.map(({ label, count, reached, distortion }) => [
    label === undefined ? 'all' : nameOf(names, label),
    count.toString(),
    `${((100 * reached) / count).toFixed(1)} %`,
    distortion.toFixed(5),
  ])
  const head = ['class', 'images', `seen as ${nameOf(names, target)}`, 'distortion']
  for (const line of alignedLines([head, ...shown], 1)) output.line(line)
  output.line('Published: 0.0065 on 64 images of ImageNet by AlexNet (Szegedy et al. 2013, figure 5)')
}
