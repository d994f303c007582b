// ostrich transcribe: sound files in, what was said in them out, in their order. A file that cannot be read is named, and the others are transcribed.
import { writeFile } from 'node:fs/promises'
import { DataError, readSound, type Sound } from '../data/index.js'
import { type SoundTranscript, transcriber } from '../infer/index.js'
import { grouped } from '../report/index.js'
import type { TranscribedSound } from '../report/transcribed-sound.js'
import { transcriptPage } from '../report/transcript-page.js'
import { command, type Output, UsageError } from './command.js'
import { heardOnPage } from './heard-page.js'
import { placeOptions } from './language-model.js'
import { type Ranking, rankingFor, rankingOption } from './ranking.js'
import { loadRecogniser, transcriberOptions, transcriptSearchOf, transcriptSearchText } from './recogniser.js'

/** Files that are read together: so many times those that the network hears at once, which are sorted by length. */
const SORTED = 4
/** Digits of a time in seconds, and of a confidence. */
const DIGITS = 3

/** A file, and its sound as it came. */
interface Named {
  readonly file: string
  readonly sound: Sound
}

export const transcribe = command({
  name: 'transcribe',
  summary: 'say what is spoken in sound files',
  arguments: ['<checkpoint|run>', '<file.wav|->', '...'],
  about: [
    'Reads WAV, NIST SPHERE and FLAC files of any rate, or a WAV from the standard input (-), and writes what is said in each, a line',
    'for each file, behind its name and a tab where there are several. A file that cannot be read is named, the others are transcribed,',
    'and the exit code is 1.',
  ].join('\n'),
  options: {
    beam: {
      type: 'whole',
      help: 'transcripts that are followed at once; 1 takes the likeliest symbol of each frame (default: as the recipe says)',
    },
    ...rankingOption,
    alpha: { type: 'number', help: 'weight of the language model (default: as the recipe says)' },
    beta: { type: 'number', help: 'added for each word, in nats (default: as the recipe says)' },
    'n-best': {
      type: 'whole',
      help: 'so many transcripts of each, each behind its rank from 1 and its score, with tabs between',
    },
    batch: { type: 'whole', help: 'sounds at once (default 16)' },
    page: { type: 'text', value: 'file.html', help: 'show wave, spectrum, chances of symbols and words of each sound' },
    ...placeOptions,
    json: {
      type: 'flag',
      help: 'print JSON, a line for each file: its words with their times in seconds and how sure they are',
    },
  },
  examples: [
    'ostrich transcribe runs/2026-01-31T09-05-00-digits hello.wav',
    'ostrich transcribe runs/2026-01-31T09-05-00-an4 *.sph --json',
    'ostrich transcribe runs/2026-01-31T09-05-00-digits hello.wav --page hello.html',
    'ffmpeg -i talk.mp3 -f wav - | ostrich transcribe last.safetensors -',
    'ostrich transcribe runs/2026-01-31T09-05-00-an4 hello.wav --language-model words.arpa --alpha 1 --n-best 3',
    'ostrich transcribe runs/2026-01-31T09-05-00-an4 *.sph --language-model runs/2026-01-31T09-40-00-an4-words',
  ],
  run: async ({ batch = 16, json = false, page, ...values }, [given = '', ...files], output) => {
    const nBest = values['n-best']
    for (const [name, value] of Object.entries({ 'n-best': nBest ?? 1, batch })) {
      if (value === 0) throw new UsageError(`--${name} expects at least 1, got 0`)
    }
    if (files.filter((file) => file === '-').length > 1) throw new UsageError('transcribe expects - once, got it twice')
    const loaded = await loadRecogniser(given, values)
    let ranking: Ranking | undefined
    try {
      const search = transcriptSearchOf(loaded.recogniser.search, values)
      const most = search.search === 'greedy' ? 1 : (search.beam ?? 100)
      if (nBest !== undefined && nBest > most) {
        throw new UsageError(`--n-best expects at most as many as there are beams, ${most}, got ${nBest}`)
      }
      ranking = await rankingFor(loaded.path, search, values['language-model'], values)
      const options = transcriberOptions(loaded.recogniser, search, ranking)
      const { net } = loaded.recogniser
      using listen = transcriber(loaded.model, net, { ...options, batch, ...(nBest !== undefined && { best: nBest }) })
      const began = performance.now()
      let [heard, bad] = [0, 0]
      const shown: TranscribedSound[] = []
      for (let from = 0; from < files.length; from += SORTED * batch) {
        const some = await readAll(files.slice(from, from + SORTED * batch), net.rate, output)
        bad += some.bad
        const found = await listen.transcribe(some.sounds.map(({ sound }) => sound))
        for (const [i, { file, sound }] of some.sounds.entries()) {
          heard += sound.samples.length / sound.rate
          write(found[i]!, { file, sound, json, nBest, many: files.length > 1, output })
          if (page !== undefined)
            shown.push(await heardOnPage(loaded, listen, { file, sound, transcript: found[i]![0] }))
        }
      }
      const seconds = (performance.now() - began) / 1000
      const speed = `${grouped(Math.round(heard / seconds))} times real time`
      const how = transcriptSearchText(search, ranking)
      output.note(`${heard.toFixed(1)} s of sound in ${seconds.toFixed(1)} s, ${speed} (${how})`)
      if (page !== undefined) {
        await writeFile(
          page,
          transcriptPage({ title: `What ${loaded.recipe.name} heard`, about: [loaded.path, how], sounds: shown }),
        )
        output.note(`${page} shows it`)
      }
      return bad === 0 ? 0 : 1
    } finally {
      await ranking?.dispose()
      await loaded.model.dispose()
    }
  },
})

/** Reads sounds; what cannot be read is told. */
async function readAll(
  files: readonly string[],
  rate: number,
  output: Output,
): Promise<{ readonly sounds: readonly Named[]; readonly bad: number }> {
  const sounds: Named[] = []
  for (const file of files) {
    try {
      const sound =
        file === '-' ? await readSound(await inputBytes(), { name: 'standard input' }) : await readSound(file)
      if (sound.rate !== rate) output.note(`${file}: resampled from ${sound.rate} to ${rate} Hz`)
      sounds.push({ file, sound })
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      output.note(error.message)
    }
  }
  return { sounds, bad: files.length - sounds.length }
}

async function inputBytes(): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const bytes of process.stdin as AsyncIterable<Uint8Array>) parts.push(bytes)
  return Buffer.concat(parts)
}

interface Written extends Named {
  readonly json: boolean
  readonly nBest: number | undefined
  /** Whether there are several files. */
  readonly many: boolean
  readonly output: Output
}

function write(found: readonly SoundTranscript[], { file, sound, json, nBest, many, output }: Written): void {
  const [best] = found
  if (json) {
    const { samples, rate } = sound
    const about = { file, seconds: rounded(samples.length / rate), rate }
    const all = { ...about, ...asJson(best), ...(nBest !== undefined && { nBest: found.map(asJson) }) }
    output.line(JSON.stringify(all))
    return
  }
  const name = many ? [file] : []
  if (nBest === undefined) output.line([...name, best?.text ?? ''].join('\t'))
  for (const [rank, { text, score }] of found.slice(0, nBest ?? 0).entries()) {
    output.line([...name, `${rank + 1}`, score?.toFixed(DIGITS) ?? '', text].join('\t'))
  }
}

/** Times in seconds. */
function asJson(found: SoundTranscript | undefined): object {
  if (found === undefined) return { text: null, words: [] }
  const { text, words, confidence, score } = found
  return {
    ...{ text, confidence: rounded(confidence) },
    ...(score !== undefined && { score: rounded(score) }),
    words: words.map((word) => ({
      ...{ text: word.text, start: rounded(word.start), end: rounded(word.end), confidence: rounded(word.confidence) },
    })),
  }
}

const rounded = (x: number): number => Number(x.toFixed(DIGITS))
