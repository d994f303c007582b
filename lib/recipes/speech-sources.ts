// The data sets of spoken lines that recipes use: the user's copies, as samples and numbers of an alphabet.
import {
  Alphabet,
  an4,
  dataFolder,
  digitWords,
  fsdd,
  getAn4,
  getFsdd,
  getTimit,
  getYesno,
  permutation,
  type SpeechParts,
  speechSets,
  type Text,
  timit,
  timitPhonemes,
  Vocabulary,
  yesno,
} from '../data/index.js'
import type { DataSource, Halves } from './recipe.js'

const own = (dir: string | undefined): { readonly dir?: string } => (dir === undefined ? {} : { dir })

/** A corpus by the symbols that are its classes. */
function halves(parts: SpeechParts, alphabet: Alphabet, speeds: readonly number[] = []): Halves {
  return { ...speechSets(parts, { alphabet, speeds }), classes: alphabet.symbols }
}

/** What is said in FSDD: ten words, and the blank. */
export const digitAlphabet = Alphabet.of(digitWords, 'word')
/** What is said in yesno: two words, and the blank. */
export const yesnoAlphabet = Alphabet.of(['NO YES'], 'word')
/** How what is said in AN4 is written: capitals and the space between words, and the blank. */
export const capitalAlphabet = Alphabet.of(['ABCDEFGHIJKLM NOPQRSTUVWXYZ'], 'character')

/** TIMIT's 61 phonemes, and the blank: all but `sil`, which some of them are measured as. */
export const phonemeAlphabet = Alphabet.of(
  Object.keys(timitPhonemes).filter((phoneme) => phoneme !== 'sil'),
  'word',
)

/** Strings of 1 to 7 digits, joined of the recordings of the Free Spoken Digit Dataset. */
export const fsddSource: DataSource = {
  name: 'fsdd',
  title: 'Free Spoken Digit Dataset: 3,000 recordings of a digit by six speakers, 8 kHz, joined to strings',
  origin: 'your copy: ostrich data get fsdd --from <path>',
  from: 'the folder recordings with 0_george_0.wav ..., or an archive of it (.tar, .tar.gz, .zip)',
  folder: () => dataFolder('fsdd'),
  get: (options = {}) => getFsdd(options),
  load: async ({ dir } = {}) => halves(await fsdd(own(dir)), digitAlphabet),
}

/** Eight words, yes or no, in each of 60 recordings. */
export const yesnoSource: DataSource = {
  name: 'yesno',
  title: 'yesno: 60 recordings of eight words each, yes or no, by one speaker, 8 kHz',
  origin: 'your copy: ostrich data get yesno --from <path>',
  from: 'waves_yesno.tar.gz, or its folder with 0_0_0_0_1_1_1_1.wav ...',
  folder: () => dataFolder('yesno'),
  get: (options = {}) => getYesno(options),
  load: async ({ dir } = {}) => halves(await yesno(own(dir)), yesnoAlphabet, [0.85, 0.95, 1, 1.05, 1.15]),
}

/** Letters, numbers and words of control, by characters. */
export const an4Source: DataSource = {
  name: 'an4',
  title: 'AN4: 948 + 130 recordings of spelled names, numbers and words by 84 speakers, 16 kHz',
  origin: 'your copy: ostrich data get an4 --from <path>',
  from: 'an4_sphere.tar.gz of CMU, or its folder with an4_train.fileids and the recordings as .sph, .wav or .flac',
  folder: () => dataFolder('an4'),
  get: (options = {}) => getAn4(options),
  load: async ({ dir } = {}) => halves(await an4(own(dir)), capitalAlphabet, [0.9, 1, 1.1]),
}

/** How often the text of AN4's transcripts has each line, each time in another order: behind a line any other may come. */
const ORDERS = 4

/** What is said in AN4, as a text of lines by words: of the speakers to train on, and of those who are held back. */
export const an4Transcripts: DataSource = {
  ...an4Source,
  load: async ({ dir, vocabulary: known } = {}) => {
    const { train, validation = [] } = await an4(own(dir))
    const lines = train.map(({ transcript }) => `${transcript}\n`)
    const orders = Array.from({ length: ORDERS }, (_, order) => permutation(lines.length, order + 1, 0))
    const content = orders.flatMap((order) => Array.from(order, (line) => lines[line]!)).join('')
    const held = validation.map(({ transcript }) => `${transcript}\n`).join('')
    // With a word for those that it lacks, which no line has: a search may write them all the same.
    const { tokens } = Vocabulary.of(content, 'word')
    const vocabulary = known ?? new Vocabulary({ unit: 'word', tokens: [...tokens, '<unk>'] })
    const text = (of: string): Text => ({ tokens: vocabulary.encode(of, 'an4'), vocabulary })
    return { train: text(content), validation: text(held) }
  },
}

/** Read sentences, by phonemes. */
export const timitSource: DataSource = {
  name: 'timit',
  title: 'TIMIT: 3,696 + 400 + 192 read sentences of 536 speakers with their phonemes, 16 kHz',
  origin: 'your licensed copy (LDC93S1): ostrich data get timit --from <path>',
  from: 'the folder TIMIT with TRAIN/DR1 ..., or an archive of it (.tar, .tar.gz, .zip)',
  folder: () => dataFolder('timit'),
  get: (options = {}) => getTimit(options),
  load: async ({ dir } = {}) => halves(await timit(own(dir)), phonemeAlphabet),
}
