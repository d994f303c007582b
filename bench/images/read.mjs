// node bench/images/read.mjs [--photos FOLDER] [--name images]
// The image pipeline on one core: packing photographs (with --photos, a tree of classes), and reading packed images at random
// as batches of 128 windows of 224 x 224, from the page cache. A batch at a time; the best tenth of the batches counts, so that
// other users of the cores do not. Writes bench/results/NAME.json.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { packedImages, packImages, permutation } from '../../dist/data/index.js'

const { values: options } = parseArgs({
  options: { photos: { type: 'string' }, name: { type: 'string', default: 'images' } },
})
const [side, images, batch] = [256, 4096, 128]
const folder = mkdtempSync(join(tmpdir(), 'ostrich-bench-'))
const root = fileURLToPath(new URL('../..', import.meta.url))
const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const device = cpus()[0].model
const common = {
  unit: 'images/s',
  device,
  threads: 1,
  versions: { node: process.versions.node, sharp: sharp.versions.sharp },
}
const results = []
const add = (name, metric, value, more = {}) => {
  results.push({
    case: name,
    metric,
    value: Math.round(value),
    ...common,
    ...more,
    commit,
    date: new Date().toISOString().slice(0, 10),
  })
  process.stdout.write(`${name.padEnd(24)} ${metric.padEnd(28)} ${Math.round(value)} images/s\n`)
}

/** A packed folder whose shards hold the same picture of waves again and again. */
function waves(out, encoding, image) {
  const data = Buffer.concat(Array.from({ length: images / 4 }, () => image))
  const statistics = {
    mean: [0, 0, 0],
    std: [1, 1, 1],
    deviations: [50, 20, 10],
    components: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  }
  mkdirSync(join(out, 'train'), { recursive: true })
  const train = [0, 1, 2, 3].map((i) => {
    const file = `train/0000${i}.shard`
    writeFileSync(join(out, file), data)
    const count = images / 4
    const lengths = encoding === 'jpeg' ? { lengths: Array(count).fill(image.length) } : {}
    return { file, images: count, bytes: data.length, sha256: '', labels: Array(count).fill(0), ...lengths }
  })
  const head = { format: 'ostrich-images', version: 1, encoding, size: side, classes: ['one', 'two'], bad: 0 }
  writeFileSync(join(out, 'index.json'), JSON.stringify({ ...head, statistics, train, validation: [] }))
}

async function read(name, metric, dir, augment, rounds) {
  const { train, close } = await packedImages(dir, { augment })
  const [each, order] = [train.fields.x.shape.reduce((a, b) => a * b), permutation(train.length, 1, 0)]
  const out = { x: new Uint8Array(batch * each), target: new Int32Array(batch) }
  const times = []
  for (let round = 0; round < rounds; round++) {
    const at = (round * batch) % train.length
    const began = performance.now()
    await train.gather(order.subarray(at, at + batch), out, { seed: 1, epoch: round })
    times.push(performance.now() - began)
  }
  await close()
  add(name, metric, (1000 * batch) / times.sort((a, b) => a - b)[Math.floor(rounds / 10)])
}

try {
  const pixels = Buffer.from(
    Array.from({ length: 3 * side * side }, (_, i) => 128 + 90 * Math.sin(i / 50) + 30 * Math.sin(i)),
  )
  waves(join(folder, 'u8'), 'u8', pixels)
  const jpeg = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer()
  waves(join(folder, 'jpeg'), 'jpeg', jpeg)
  const [window, varied] = [
    { crop: 224, mirror: true },
    { crop: 224, mirror: true, colour: 0.1 },
  ]
  await read('u8', 'whole', join(folder, 'u8'), {}, 200)
  await read('u8', 'window, mirrored', join(folder, 'u8'), window, 300)
  await read('u8', 'window, mirrored, colours', join(folder, 'u8'), varied, 300)
  await read('jpeg', 'window, mirrored, colours', join(folder, 'jpeg'), varied, 20)
  if (options.photos !== undefined) {
    const began = process.cpuUsage()
    const { train, validation } = await packImages(options.photos, join(folder, 'packed'), { workers: 0 })
    const { user, system } = process.cpuUsage(began)
    add('pack', 'a second of processor time', (1e6 * (train + validation)) / (user + system))
  }
  writeFileSync(join(root, 'bench/results', `${options.name}.json`), `${JSON.stringify(results, undefined, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true })
}
