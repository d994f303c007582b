// The largest memory of a process that trains vectors of so many numbers on a text and saves them, in MB: node word-memory.mjs TEXT FOLDER DIMENSION
// [resume]. It saves behind each block, too.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { train } from '../../../dist/index.js'
import { corpus, countWords } from '../../../dist/data/index.js'

const [path, folder, dimension, begins] = process.argv.slice(2)
const text = await corpus(path)
const counts = await countWords(text, { least: 1 })
const options = {
  dimension: Number(dimension),
  epochs: 1,
  device: 'cpu',
  threads: 1,
  folder,
  saveEvery: 0,
  resume: begins === 'resume',
}
const vectors = new train.KeyedVectors(await train.wordVectors(text, counts, options))
await vectors.save(join(folder, 'vectors.bin'))
const [, peak] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
process.stdout.write(`${Number(peak) / 1024}\n`)
