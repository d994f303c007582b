// ostrich tables: the tables of negative examples, from nothing: data, networks, attacks, and a page with pictures.
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  answers,
  errorOf,
  type Examples,
  layouts,
  networks,
  measureNegatives,
  type NegativeOptions,
  type Negatives,
  predicted,
  rounded,
  unitRange,
  type Trained,
} from '../experiments/index.js'
import { alignedLines, createProgress, measuredTable, shownCell, type Table } from '../report/index.js'
import { type Gallery, page } from '../report/page.js'
import { fc100 } from '../recipes/index.js'
import { diagnose } from '../runtime/index.js'
import { openSafetensors, writeSafetensors } from '../files/index.js'
import { command, type Output, UsageError } from './command.js'
import { fetchData } from './fetch.js'

const side = 28
/** Pictures of each network on the page. */
const shown = 8

export const tables = command({
  name: 'tables',
  summary: 'print the tables of negative examples',
  arguments: [],
  about: [
    'Trains the networks of "Intriguing properties of neural networks" (Szegedy et al. 2013) on MNIST, finds the nearest images',
    'that each takes for others, and feeds them to all: the paper’s four tables and the lecture’s two, each number beside the',
    'published one in brackets. Writes tables.json, the images (images-*.safetensors) and a page with pictures, index.html.',
  ].join('\n'),
  options: {
    seeds: { type: 'whole', help: 'how often everything is done, with other networks and images (default 3)' },
    images: { type: 'whole', help: 'test images that are attacked (default 300)' },
    quick: { type: 'flag', help: 'to try it: one seed, 30 images, networks trained for 2 epochs' },
    epochs: { type: 'whole', help: 'times through the training images (default: those of the recipes)' },
    data: { type: 'text', value: 'folder', help: 'where MNIST is (default: where `ostrich data` keeps it)' },
    threads: { type: 'whole', help: 'networks that are worked on at the same time (default: one for each core)' },
    out: { type: 'text', value: 'folder', help: 'where the files go (default tables)' },
    json: { type: 'flag', help: 'print JSON' },
  },
  examples: ['ostrich tables', 'ostrich tables --quick --out /tmp/tables', 'ostrich tables --seeds 1 --images 100'],
  run: async (
    { quick = false, data, out = 'tables', json = false, threads = availableParallelism(), ...values },
    _positionals,
    output,
  ) => {
    const { seeds = quick ? 1 : 3, images = quick ? 30 : 300, epochs = quick ? 2 : undefined } = values
    if (seeds === 0 || images === 0) throw new UsageError('--seeds and --images expect at least 1, got 0')
    if (data === undefined) await fetchData(fc100.data, output)
    // As the networks' recipes: all training images, none of them held back.
    const { train, test } = await fc100.data.load(data === undefined ? {} : { dir: data })
    if ('tokens' in train || test === undefined || 'tokens' in test) throw new UsageError('tables expects images')
    if (test.length < images) throw new UsageError(`--images expects at most ${test.length}, got ${images}`)
    await mkdir(out, { recursive: true })
    const began = performance.now()
    const result = await measureAll(
      { train: train, test: test, images, epochs, atOnce: Math.max(1, threads) },
      { seeds, out },
    )
    const seconds = Math.round((performance.now() - began) / 1000)
    const about = { seeds, images, seconds, versions: diagnose().versions, tables: result.tables }
    await writeFile(join(out, 'tables.json'), `${JSON.stringify(about, undefined, 2)}\n`)
    await writeFile(join(out, 'index.html'), page({ ...pageText(seeds, images), ...result }))
    if (json) output.line(JSON.stringify(about, undefined, 2))
    else say(result.tables, output)
    output.note(`${seconds} s; written to ${join(out, 'index.html')}, tables.json and images-*.safetensors`)
    return 0
  },
})

type Given = Pick<NegativeOptions, 'train' | 'test' | 'images' | 'epochs' | 'atOnce'>

/** All seeds; pictures and images of the first. */
async function measureAll(given: Given, { seeds, out }: { readonly seeds: number; readonly out: string }) {
  const measured = new Map<string, number[]>()
  const galleries = new Map<string, Gallery>()
  const progress = createProgress({ stream: process.stderr })
  try {
    for (let seed = 1; seed <= seeds; seed++) {
      const report: NegativeOptions['report'] = ({ what, ...state }) => {
        progress.update({ what: `seed ${seed}/${seeds}, ${what}`, ...state })
      }
      const again: Record<string, number> = {}
      const keep = async (network: Trained, examples: Examples, found: Negatives) => {
        const path = join(out, `images-${network.name}-seed${seed}.safetensors`)
        Object.assign(again, await savedAndFedAgain(path, network, examples, found))
        if (seed === 1) galleries.set(network.name, await galleryOf(network, examples, found))
      }
      const numbers = await measureNegatives({ ...given, seed, report, keep })
      for (const [name, value] of Object.entries({ ...numbers, ...again })) {
        measured.set(name, [...(measured.get(name) ?? []), value])
      }
    }
  } finally {
    progress.finish()
  }
  const pictures = networks.flatMap(([name]) => galleries.get(name) ?? [])
  return { galleries: pictures, tables: layouts.map((layout) => measuredTable(layout, measured)) }
}

/** Keeps negative examples as numbers and as bytes, and measures what is read back. */
async function savedAndFedAgain(path: string, network: Trained, { labels, count }: Examples, found: Negatives) {
  const bytes = Uint8Array.from(rounded(found.x), (value) => Math.round(value * 255))
  const extents = [count, side, side]
  await writeSafetensors(path, {
    x: { dtype: 'F32', shape: extents, data: new Float32Array(found.x) },
    bytes: { dtype: 'U8', shape: extents, data: bytes },
    label: { dtype: 'I32', shape: [count], data: new Int32Array(labels) },
    target: { dtype: 'I32', shape: [count], data: new Int32Array(found.target) },
  })
  const file = await openSafetensors(path)
  try {
    const x = (await file.read('x')) as Float32Array
    const whole = unitRange((await file.read('bytes')) as Uint8Array)
    return {
      [`again ${network.name}`]: await errorOf(network, x, labels),
      [`rounded ${network.name}`]: await errorOf(network, whole, labels),
    }
  } finally {
    await file.close()
  }
}

async function galleryOf(network: Trained, { x, labels, count }: Examples, found: Negatives): Promise<Gallery> {
  const before = predicted(await network.session.predict(x, { prepared: true }), count)
  const after = await answers(network, rounded(found.x), count)
  const size = side ** 2
  const pictures = Array.from({ length: Math.min(shown, count) }, (_, i) => ({
    original: x.slice(i * size, (i + 1) * size),
    negative: found.x.slice(i * size, (i + 1) * size),
    label: `a ${labels[i]!}`,
    before: before[i]!.toString(),
    after: after[i]!.toString(),
    distortion: found.distortion[i]!,
  }))
  return { title: `${network.name}: image, distortion, negative example`, channels: 1, side, pictures }
}

function pageText(seeds: number, images: number) {
  return {
    title: 'Negative examples: the flaws of neural networks',
    about: [
      `${images} test images of MNIST, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Each cell: mean ± standard deviation over the seeds, and the published number in brackets.`,
      'For each image the change r of least size that gives it a wrong label: c |r|² + cross-entropy is minimised in the box of pixels, and the largest c that reaches the label is sought.',
    ],
  }
}

function say(all: readonly Table[], output: Output): void {
  for (const { title, notes, columns, rows } of all) {
    output.line(title)
    const head = ['', ...columns.map((column) => `${column.title}${column.unit === 'share' ? ' %' : ''}`)]
    const lines = rows.map((row) => [row.title, ...row.cells.map((cell, i) => shownCell(cell, columns[i]!.unit))])
    for (const line of alignedLines([head, ...lines], 1)) output.line(line)
    for (const note of notes) output.line(note)
    output.line('')
  }
}
