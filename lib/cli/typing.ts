// A line of text that is typed on a terminal, with completions below it. Knows keys and escape sequences; reads and writes only what
// it is handed.
import type { Completer, Completion } from '../infer/index.js'
import { percent } from '../report/index.js'

/** Where keys come from, and where the picture goes. */
export interface Keyboard {
  /** What was typed, as it comes: a character, several, or an escape sequence. */
  readonly keys: AsyncIterable<string>
  write(text: string): unknown
  columns(): number
  close(): void
}

const CTRL_C = '\x03'
const CTRL_D = '\x04'
const DIM = '\x1b[2m'
const PLAIN = '\x1b[0m'

/** Completes what is typed until Ctrl-C or Ctrl-D; a key that the model does not know is refused below the line. */
export async function typeOn(keyboard: Keyboard, typed: Completer, most: number): Promise<void> {
  let text = ''
  let completions: readonly Completion[] = []
  const suggest = async (next: string): Promise<string | undefined> => {
    try {
      await typed.read(next)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    text = next
    completions = await typed.completions(most)
    return undefined
  }
  draw(keyboard, text, completions, await suggest(''))
  try {
    for await (const keys of keyboard.keys) {
      if (keys === CTRL_C || keys === CTRL_D) break
      const next = after(text, keys, completions)
      const refusal = next === text ? undefined : await suggest(next)
      draw(keyboard, text, completions, refusal)
    }
  } finally {
    keyboard.write('\r\n\x1b[J')
    keyboard.close()
  }
}

/** The text after these keys. */
export function after(text: string, keys: string, completions: readonly Completion[]): string {
  if (keys === '\t') return completions[0] === undefined ? text : `${text}${completions[0].text} `
  if (keys === '\x7f' || keys === '\b') return Array.from(text).slice(0, -1).join('')
  if (keys === '\r') return `${text}\n`
  // Arrows and the like do nothing.
  return keys.startsWith('\x1b') ? text : text + keys.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
}

/** The last line of the text with the first completion dimmed behind it, and all completions on the line below. */
function draw(keyboard: Keyboard, text: string, completions: readonly Completion[], refusal: string | undefined): void {
  const room = keyboard.columns() - 1
  const line = text.slice(text.lastIndexOf('\n') + 1)
  const shown = line.slice(Math.max(0, line.length - Math.floor(room * 0.7)))
  const ghost = (completions[0]?.text ?? '').slice(0, room - shown.length)
  const list = refusal ?? completions.map(({ text: end, probability }) => `${end} ${percent(probability)}`).join('   ')
  const column = shown.length + 1
  keyboard.write(`\r\x1b[J${shown}${DIM}${ghost}\r\n${list.slice(0, room)}${PLAIN}\x1b[1A\x1b[${column}G`)
}
