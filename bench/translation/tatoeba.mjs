// node bench/translation/tatoeba.mjs eng-deu.tsv.gz FOLDER: cuts a file of pairs from manythings.org/anki (English, a tab, the translation) into lines for
// `ostrich train translate-attention --data`: 2,000 English sentences drawn by seed 1 to test by and 2,000 for validation, each with all of its
// translations, and the rest to train on. A test sentence has its first translation only, as it is measured once. Writes train, validation and test, .en and
// the language of the file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { PhiloxStream } from '../../dist/data/index.js'

const [file, folder] = process.argv.slice(2)
const languages = { deu: 'de', fra: 'fr', spa: 'es' }
const to = languages[/^eng-(\w+)\./.exec(basename(file ?? ''))?.[1]]
if (to === undefined || folder === undefined) {
  process.stderr.write(
    `tatoeba: expected eng-${Object.keys(languages).join('|')}.tsv.gz and a folder, got ${file} and ${folder}\n`,
  )
  process.exit(2)
}
const HELD_BACK = 2000

/** Translations of each English sentence, each once. */
const translations = new Map()
for (const line of gunzipSync(readFileSync(file)).toString('utf8').split('\n')) {
  const [english, other] = line.split('\t')
  if (!english || !other) continue
  if (!translations.has(english)) translations.set(english, new Set())
  translations.get(english).add(other)
}

const sentences = [...translations.keys()]
const draws = new PhiloxStream(1, 0, 0)
for (let i = 0; i < 2 * HELD_BACK; i++) {
  const j = i + draws.below(sentences.length - i)
  ;[sentences[i], sentences[j]] = [sentences[j], sentences[i]]
}

const all = (english) => [...translations.get(english)].map((other) => [english, other])
const parts = {
  test: sentences.slice(0, HELD_BACK).map((english) => all(english)[0]),
  validation: sentences.slice(HELD_BACK, 2 * HELD_BACK).flatMap(all),
  train: sentences.slice(2 * HELD_BACK).flatMap(all),
}
mkdirSync(folder, { recursive: true })
for (const [part, pairs] of Object.entries(parts)) {
  for (const [side, language] of ['en', to].entries()) {
    writeFileSync(join(folder, `${part}.${language}`), `${pairs.map((pair) => pair[side]).join('\n')}\n`)
  }
  process.stdout.write(`${part}: ${pairs.length} pairs\n`)
}
