// Lines that come, by a stream or typed, and their translations, written in their order. Knows what it is handed alone.
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { LineTranslation, LineTranslator } from '../infer/index.js'
import { alignmentPicture } from '../report/index.js'
import { arrivingLines } from './arriving-lines.js'

/** What translates, and what becomes of translations. */
export interface Translating {
  readonly lines: Pick<LineTranslator, 'translate'>
  /** So many translations of each line, with rank and score; undefined for the best alone. */
  readonly nBest: number | undefined
  readonly json: boolean
  /** File for what each word of the first translation looked at. */
  readonly attention: string | undefined
  /** Of the recipe. */
  readonly name: string
  /** Settles when there is room for more. */
  readonly write: (text: string) => Promise<void>
  readonly note: (text: string) => void
}

/** Translates what has arrived, at most `most` lines at a time, before it reads on: how many lines there were. */
export async function translateStream(
  work: Translating,
  stream: AsyncIterable<Uint8Array>,
  most: number,
): Promise<number> {
  const drawing = new Drawing(work)
  let count = 0
  for await (const lines of arrivingLines(stream, most)) {
    await translated(work, drawing, lines, count + 1)
    count += lines.length
  }
  return count
}

/**
 * A line is typed, and its translation is below it, until the end of the input. What cannot be translated is said, and the next line may come.
 * @param shown where the prompt and what is typed are shown
 */
export async function converse(
  work: Translating,
  input: NodeJS.ReadableStream,
  shown: NodeJS.WritableStream,
): Promise<void> {
  const drawing = new Drawing(work)
  const typed = createInterface({ input, output: shown, prompt: '> ' })
  let count = 0
  typed.prompt()
  for await (const line of typed) {
    try {
      await translated(work, drawing, [line], ++count)
    } catch (error) {
      work.note(error instanceof Error ? error.message : String(error))
    }
    typed.prompt()
  }
  shown.write('\n')
}

async function translated(
  { lines: translator, nBest, json, write }: Translating,
  drawing: Drawing,
  lines: readonly string[],
  first: number,
): Promise<void> {
  const all = await translator.translate(lines, { first, ...(nBest !== undefined && { nBest }) })
  await drawing.take(all.map(([best]) => best!))
  const texts = all.map((found, i) => {
    if (json) return JSON.stringify({ line: lines[i], translations: found.map(({ text, score }) => ({ text, score })) })
    if (nBest === undefined) return oneLine(found[0]!.text)
    return found.map(({ text, score }, k) => `${k + 1}\t${score.toFixed(4)}\t${oneLine(text)}`).join('\n')
  })
  await write(`${texts.join('\n')}\n`)
}

/** A network may write an end of line, which would shift all that follow. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** The picture of the first line that was looked at, where one is asked for: not of an empty one, nor of one in parts. */
class Drawing {
  readonly #path: string | undefined
  readonly #name: string
  #isDone = false

  constructor({ attention, name }: Translating) {
    this.#path = attention
    this.#name = name
  }

  async take(translations: readonly LineTranslation[]): Promise<void> {
    const looked = translations.find((one) => one.looked !== undefined)?.looked
    if (this.#path === undefined || this.#isDone || looked === undefined) return
    this.#isDone = true
    await writeFile(this.#path, alignmentPicture(looked, this.#name))
  }
}
