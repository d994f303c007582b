// ostrich generate: a language model writes. All samples are drawn at once, as streams of one batch; the first is shown while it
// is being written, the others behind it, none is chosen.
import { END_OF_LINE, type Vocabulary } from '../data/index.js'
import type { Sampler } from '../infer/index.js'
import { command, type Output, UsageError } from './command.js'
import { languageModel, placeOptions } from './language-model.js'

/** Steps that are under way at once: the device draws while the last token is written. */
const IN_FLIGHT = 3

export const generate = command({
  name: 'generate',
  summary: 'let a language model write',
  arguments: ['<checkpoint|run>'],
  about: [
    'Continues a prompt by drawing one token after the other. Prints the first sample as it is written; further ones (--number)',
    'follow it. The same seed gives the same texts.',
  ].join('\n'),
  options: {
    prompt: { type: 'text', value: 'text', help: 'what it begins with (default: a new line)' },
    length: { type: 'whole', help: 'characters or words to write (default 500)' },
    temperature: { type: 'number', help: 'below 1 surer, above 1 wilder (default 1)' },
    'top-k': { type: 'whole', help: 'draw from the k likeliest only (default: from all); 1 takes the likeliest' },
    seed: { type: 'whole', help: 'of the draws (default 1)' },
    number: { type: 'whole', help: 'samples to draw at once (default 1)' },
    ...placeOptions,
    json: { type: 'flag', help: 'print JSON, when all is written' },
  },
  examples: [
    'ostrich generate runs/2026-01-31T09-05-00-shakespeare --prompt "ROMEO:" --length 300',
    'ostrich generate last.safetensors --temperature 0.7 --top-k 20 --number 64 --json',
  ],
  run: async (values, [given = ''], output) => {
    const { prompt = '', length = 500, temperature = 1, seed = 1, number = 1, json = false } = values
    const topK = values['top-k']
    for (const [name, value] of Object.entries({ length, number, 'top-k': topK ?? 1 })) {
      if (value < 1) throw new UsageError(`--${name} expects at least 1, got ${value}`)
    }
    const { model, vocabulary } = await languageModel(given, values)
    try {
      const tokens = promptTokens(prompt, vocabulary)
      const sampler = await model.sampler({ streams: number })
      await sampler.start(seed)
      const show = json ? () => undefined : (text: string) => process.stdout.write(text)
      show(prompt)
      const draw = { temperature, ...(topK !== undefined && { topK }) }
      const began = performance.now()
      const texts = await write(sampler, { tokens, length, draw, vocabulary, prompt, show })
      const seconds = (performance.now() - began) / 1000
      finish(texts, { ...draw, prompt, seed, length, seconds, unit: vocabulary.unit, json }, output)
      return 0
    } finally {
      await model.dispose()
    }
  },
})

/** What the network reads before it writes: a line's end, and the prompt without one of its own. */
function promptTokens(prompt: string, vocabulary: Vocabulary): Int32Array {
  const end = vocabulary.numberOf(vocabulary.unit === 'word' ? END_OF_LINE : '\n') ?? 0
  const own = vocabulary.encode(prompt, '--prompt')
  const open = vocabulary.unit === 'word' && !prompt.endsWith('\n') ? own.subarray(0, -1) : own
  return Int32Array.from([end, ...open])
}

interface Writing {
  readonly tokens: Int32Array
  readonly length: number
  readonly draw: { readonly temperature: number; readonly topK?: number }
  readonly vocabulary: Vocabulary
  readonly prompt: string
  readonly show: (text: string) => unknown
}

/** All samples, without the prompt; the first is shown as it grows. */
async function write(sampler: Sampler, { tokens, length, draw, vocabulary, prompt, show }: Writing): Promise<string[]> {
  const texts = Array.from({ length: sampler.streams }, () => prompt)
  const waiting: ReturnType<Sampler['step']>[] = []
  const settle = async (): Promise<void> => {
    const { tokens: drawn } = (await waiting.shift())!
    for (const [i, token] of drawn.entries()) {
      const before = texts[i]!
      const piece = vocabulary.piece(token, before)
      if (i === 0) show(piece)
      texts[i] = before + piece
    }
  }
  const total = tokens.length - 1 + length
  for (let at = 0; at < total; at++) {
    const given = at < tokens.length ? new Int32Array(sampler.streams).fill(tokens[at]!) : undefined
    const step = sampler.step(given, draw)
    step.catch(() => undefined)
    // What is drawn before the prompt is read to its end is not used.
    if (at < tokens.length - 1) await step
    else waiting.push(step)
    if (waiting.length >= IN_FLIGHT) await settle()
  }
  while (waiting.length > 0) await settle()
  return texts.map((text) => text.slice(prompt.length))
}

interface Said {
  readonly prompt: string
  readonly temperature: number
  readonly topK?: number
  readonly seed: number
  readonly length: number
  readonly seconds: number
  readonly unit: Vocabulary['unit']
  readonly json: boolean
}

function finish(texts: readonly string[], { json, seconds, unit, ...said }: Said, output: Output): void {
  const rate = Math.round((texts.length * said.length) / seconds)
  if (json) {
    output.line(JSON.stringify({ ...said, unit, number: texts.length, perSecond: rate, samples: texts }))
    return
  }
  output.line('')
  for (const [i, text] of texts.entries()) {
    if (i > 0) output.line(`--- sample ${i + 1}\n${said.prompt}${text}`)
  }
  const top = said.topK === undefined ? '' : `, top ${said.topK}`
  output.note(
    `${texts.length} drawn, the first shown first; temperature ${said.temperature}${top}, seed ${said.seed}; ${rate} ${unit}s/s`,
  )
}
