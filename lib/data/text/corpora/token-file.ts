// A corpus as numbers on the disk, so that each epoch after the first reading costs no more than reading four bytes a word.
import { open, type FileHandle, stat } from 'node:fs/promises'
import { DataError, reasonOf } from '../../errors.js'
import type { Corpus, CorpusProgress } from './corpus.js'
import { encodedLines, type EncodedBlock } from './encoded-lines.js'
import type { WordCounts } from './word-counts.js'

/** Between two lines. */
export const END_OF_SENTENCE = -1
const BYTES = Int32Array.BYTES_PER_ELEMENT

/** Options of `writeTokens`. */
export interface WriteTokensOptions {
  /** Called as the corpus is read. */
  readonly onProgress?: (progress: CorpusProgress) => void
  /** Stops, by the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Writes a corpus as i32 in the machine's byte order: numbers of words, and -1 behind each line. Words that were not kept are left out.
 * @throws DataError for what is no text, and where the file cannot be written; the signal's reason
 * @returns how many numbers
 */
export async function writeTokens(
  path: string,
  corpus: Corpus,
  counts: WordCounts,
  { onProgress, signal }: WriteTokensOptions = {},
): Promise<number> {
  const file = await opened(path, 'w')
  let written = 0
  try {
    for await (const block of encodedLines(corpus, counts)) {
      signal?.throwIfAborted()
      const numbers = withEnds(block)
      await file.writeFile(new Uint8Array(numbers.buffer)).catch((error: unknown) => {
        throw new DataError(`${path}: expected to write it, got ${reasonOf(error)}`, { cause: error })
      })
      written += numbers.length
      onProgress?.({ done: block.done, total: corpus.size, words: block.words })
    }
  } finally {
    await file.close()
  }
  return written
}

function withEnds({ tokens, ends }: EncodedBlock): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(tokens.length + ends.length).fill(END_OF_SENTENCE)
  let from = 0
  for (const [line, end] of [...ends, tokens.length].entries()) {
    numbers.set(tokens.subarray(from, end), from + line)
    from = end
  }
  return numbers
}

/** A file of `writeTokens`, read in blocks of one length from any place. */
export class TokenFile implements AsyncDisposable {
  /** Numbers in it. */
  readonly length: number
  readonly #file: FileHandle
  readonly #path: string

  private constructor(path: string, file: FileHandle, length: number) {
    this.#path = path
    this.#file = file
    this.length = length
  }

  /** @throws DataError where it cannot be read, and for a file of another length than `expected` */
  static async open(path: string, expected: number): Promise<TokenFile> {
    const file = await opened(path, 'r')
    const { size } = await file.stat()
    if (size === expected * BYTES) return new TokenFile(path, file, expected)
    await file.close()
    throw new DataError(`${path}: expected ${expected * BYTES} bytes, got ${size}`)
  }

  /**
   * Fills `block` with the numbers from place `from` on; behind the last one stand ends of sentences.
   * @throws DataError where they cannot be read
   */
  async read(from: number, block: Int32Array): Promise<void> {
    const wanted = Math.min(block.length, this.length - from)
    const bytes = new Uint8Array(block.buffer, block.byteOffset, wanted * BYTES)
    let got = 0
    while (got < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, got, bytes.length - got, from * BYTES + got)
      if (bytesRead === 0) throw new DataError(`${this.#path}: expected ${bytes.length} bytes more, got ${got}`)
      got += bytesRead
    }
    block.fill(END_OF_SENTENCE, wanted)
  }

  /** Closes the file, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close()
  }
}

/** Whether a file of so many numbers is there. */
export async function hasTokens(path: string, length: number): Promise<boolean> {
  return stat(path).then(
    ({ size }) => size === length * BYTES,
    () => false,
  )
}

async function opened(path: string, flags: string): Promise<FileHandle> {
  return open(path, flags).catch((error: unknown) => {
    throw new DataError(`${path}: expected a file that can be opened, got ${reasonOf(error)}`, { cause: error })
  })
}
