// A user's copy of a data set as a folder, or as an archive of any kind: the same files by the same names.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFiles } from '../../../lib/data/open-files.js'
import { tarEntry, tarOf, zipOf } from './support.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-open-'))
  await mkdir(join(folder, 'tree', 'sub'), { recursive: true })
  await writeFile(join(folder, 'tree', 'sub', 'b'), 'two')
  const tar = tarOf(tarEntry('sub/b', Buffer.from('two')))
  await writeFile(join(folder, 'a.tar'), tar)
  await writeFile(join(folder, 'a.tgz'), gzipSync(tar))
  await writeFile(join(folder, 'a.zip'), zipOf([{ name: 'sub/b', text: 'two' }]))
  await writeFile(join(folder, 'a.txt'), 'text')
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('openFiles', () => {
  it.each(['tree', 'a.tar', 'a.tgz', 'a.zip'])('reads %s', async (name) => {
    const files = await openFiles(join(folder, name), 'pets', 'pets.tar')
    expect(files.names.filter((one) => one !== 'sub')).toEqual(['sub/b'])
    expect(new TextDecoder().decode(await files.read('sub/b'))).toBe('two')
  })

  it('refuses what is not there or no archive', async () => {
    const open = (name: string) => openFiles(join(folder, name), 'pets', 'pets.tar')
    await expect(open('none.tar')).rejects.toThrow(/^pets: expected pets\.tar, got .*none\.tar: ENOENT/)
    await expect(open('a.txt')).rejects.toThrow(/a\.txt: expected a tar header of 512 bytes/)
  })
})
