// Where downloaded data lives, and how a file gets there: whole or not at all.
// Reads an environment variable ($OSTRICH_DATA) outside the CLI, since data is found without it too.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { pipeline } from 'node:stream/promises'

/**
 * The folder of one data set: `$OSTRICH_DATA/name`, else `$XDG_CACHE_HOME/ostrich/name`, else `~/.cache/ostrich/name`.
 *
 * @example
 * dataFolder('mnist')  // ~/.cache/ostrich/mnist
 */
export function dataFolder(name: string): string {
  const { OSTRICH_DATA: own, XDG_CACHE_HOME: shared } = env
  if (own !== undefined && own !== '') return join(own, name)
  return join(shared !== undefined && shared !== '' ? shared : join(homedir(), '.cache'), 'ostrich', name)
}

/** The sha256 of a file in hexadecimal, or undefined when there is no such file. */
export async function sha256OfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}

/** The sha256 of bytes in hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Writes a file so that a reader sees the old content or all of the new, also after a crash; makes its folder. */
export async function placeFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
