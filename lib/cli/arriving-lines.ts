// Lines of a stream, taken as they arrive, and text that is written as fast as it is read: no more of either is in memory than is needed.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { DataError } from '../data/index.js'

/**
 * The lines that have arrived together, at most `most` at a time, as soon as they are there; a last line needs no end. What is no UTF-8 is
 * read as U+FFFD, a carriage return before an end is left out.
 */
export async function* arrivingLines(
  stream: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<readonly string[], void, undefined> {
  const decoder = new TextDecoder()
  const line = (text: string): string => (text.endsWith('\r') ? text.slice(0, -1) : text)
  let open = ''
  for await (const bytes of stream) {
    const [first = '', ...more] = decoder.decode(bytes, { stream: true }).split('\n')
    open += first
    if (more.length === 0) continue
    const lines = [open, ...more.slice(0, -1)].map(line)
    open = more.at(-1)!
    for (let i = 0; i < lines.length; i += most) yield lines.slice(i, i + most)
  }
  open += decoder.decode()
  if (open !== '') yield [line(open)]
}

/** The bytes of a file, a piece at a time. @throws DataError for a file that cannot be read */
export async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const bytes of createReadStream(path) as AsyncIterable<Uint8Array>) yield bytes
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new DataError(`${path}: expected a readable file, got ${code === 'ENOENT' ? 'none' : code}`, { cause: error })
  }
}

/** Where text goes. */
export interface Sink extends NodeJS.EventEmitter {
  /** False where it is to wait for `drain`. */
  write(text: string): boolean
}

/** Writes, and waits until there is room for more. */
export async function put(sink: Sink, text: string): Promise<void> {
  if (!sink.write(text)) await once(sink, 'drain')
}
