// A training of word vectors that the test kills: node word-training.mjs TEXT FOLDER OPTIONS. Saves behind each block.
import { train } from '../../../dist/index.js'
import { corpus, countWords } from '../../../dist/data/index.js'

const [path, folder, options] = process.argv.slice(2)
const text = await corpus(path)
await train.wordVectors(text, await countWords(text), { ...JSON.parse(options), folder, saveEvery: 0 })
