// Replaces a file whole or not at all: a temporary file in the same folder, fsync, rename, fsync of the folder.
// Whatever happens (a full disk, an exception, kill -9), the path holds the old content or all of the new.
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Bytes per write call: large enough to cost nothing, small enough to stay below the system's limit of 2 GiB. */
const CHUNK = 2 ** 26
/** A temporary file untouched for this long was left by a process that was killed. */
const STALE_MS = 10 * 60 * 1000

/** Writes the file that is being made. */
export interface AtomicWriter {
  /** Appends bytes. */
  write(bytes: Uint8Array): Promise<void>
  /** Replaces the first bytes of what was written. */
  rewrite(bytes: Uint8Array): Promise<void>
}

/**
 * Makes or replaces the file at `path` with what `fill` writes. On any failure the temporary file is removed, the old
 * file is untouched, and the failure is thrown as it came (`ENOSPC`, an error of `fill` ...).
 *
 * @example
 * await replaceFile('curves.svg', (file) => file.write(Buffer.from(svg)))
 */
export async function replaceFile(path: string, fill: (file: AtomicWriter) => Promise<void>): Promise<void> {
  const folder = dirname(path)
  const prefix = `.${basename(path)}.`
  await sweep(folder, prefix)
  const temporary = join(folder, `${prefix}${crypto.randomUUID()}.tmp`)
  const file = await open(temporary, 'wx')
  try {
    try {
      await fill({ write: (bytes) => writeAll(file, bytes), rewrite: (bytes) => writeAll(file, bytes, 0) })
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** A write call may take less than it was given; on a disk that is nearly full it does, before it fails. */
async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array, start?: number): Promise<void> {
  let at = 0
  while (at < bytes.length) {
    const place = start === undefined ? null : start + at
    const { bytesWritten } = await file.write(bytes, at, Math.min(CHUNK, bytes.length - at), place)
    at += bytesWritten
  }
}

/** The rename itself survives a power cut only when the folder reached the disk. Some file systems cannot do that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP')))
      throw error
  } finally {
    await handle.close()
  }
}

/** Removes what killed processes left; a temporary file in use is younger, since every write to it renews its date. */
async function sweep(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue
    const path = join(folder, name)
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    )
    if (Date.now() - modified > STALE_MS) await rm(path, { force: true })
  }
}
