// The vectors that a command is asked by: a file, or the folder of a training.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyedVectors } from '../infer/index.js'
import type { Output } from './command.js'

/** What a training leaves in its folder. */
export const VECTORS = 'vectors.bin'

/** Options of commands that read vectors. */
export const vectorOptions = {
  limit: { type: 'whole', help: 'know the first words only, which are the most frequent (default: all)' },
} as const

export async function vectorsOf(given: string, limit: number | undefined, output: Output): Promise<KeyedVectors> {
  const isFolder = await stat(given).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return KeyedVectors.load(isFolder ? join(given, VECTORS) : given, {
    ...(limit !== undefined && { limit }),
    onWarning: (message) => {
      output.note(message)
    },
  })
}
