// Files of word vectors: they come back from each format, and what is no table of vectors is refused.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../../lib/files/index.js'
import { KeyedVectors } from '../../../lib/infer/index.js'
import { small } from './small-vectors.js'

describe('files of word vectors', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ostrich-vectors-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const expectSmall = (found: KeyedVectors): void => {
    expect(found.words).toEqual(small.words)
    for (const word of small.words) expect([...found.vector(word)]).toEqual([...small.vector(word)])
  }

  it.each(['a.txt', 'a.vec', 'a.bin', 'a', 'a.safetensors'])('come back from %s', async (name) => {
    const path = join(folder, name)
    await small.save(path)
    const found = await KeyedVectors.load(path)
    expectSmall(found)
    expect(found.count('north')).toBe(name === 'a.safetensors' ? 8 : undefined)
    expect((await KeyedVectors.load(path, { limit: 2 })).words).toEqual(['east', 'north'])
    if (name === 'a.safetensors') return
    await writeFile(`${path}.gz`, gzipSync(await readFile(path)))
    expectSmall(await KeyedVectors.load(`${path}.gz`))
  })

  it('have the format that they are told', async () => {
    const path = join(folder, 'a.dat')
    await small.save(path, { format: 'text' })
    expect((await readFile(path, 'utf8')).split('\n').slice(0, 2)).toEqual(['6 2', 'east 2 0'])
    await small.save(path, { format: 'safetensors' })
    await expect(KeyedVectors.load(path)).rejects.toThrow('expected a first line of two numbers')
    expectSmall(await KeyedVectors.load(path, { format: 'safetensors' }))
  })

  it('tell what they leave out', async () => {
    const path = join(folder, 'a.vec')
    await writeFile(path, Buffer.from('3 1\na 1\nb\xff 2\na 3\n', 'latin1'))
    await expect(KeyedVectors.load(path)).rejects.toThrow('expected words in UTF-8, each once, at word 2 of 3')
    const said: string[] = []
    const found = await KeyedVectors.load(path, { skipBadWords: true, onWarning: (message) => said.push(message) })
    expect([found.words, said]).toEqual([['a'], [`${path}: 2 words are left out, the first is other bytes`]])
  })

  it('that are absent, cut or others are refused by name', async () => {
    const path = join(folder, 'a.bin')
    await expect(KeyedVectors.load(path)).rejects.toThrow(`${path}: expected a file of word vectors, got ENOENT`)
    await expect(KeyedVectors.load(folder)).rejects.toThrow(`${folder}: expected a file of word vectors, got EISDIR`)
    await small.save(path)
    const packed = gzipSync(await readFile(path))
    await writeFile(path, packed.subarray(0, -12))
    await expect(KeyedVectors.load(path)).rejects.toThrow(`${path}: expected a file of word vectors, got Z_BUF_ERROR`)
    await writeFile(path, '99999 4\na 1 2 3 4\n')
    await expect(KeyedVectors.load(path)).rejects.toThrow(
      'expected at least 999989 bytes more for 99999 words of 4 numbers',
    )
    await expect(KeyedVectors.load(path)).rejects.toThrow(CheckpointError)
  })

  const words = { dtype: 'U8', shape: [3], data: new TextEncoder().encode('a\nb') } as const
  const vectors = { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, 2) } as const
  it.each<[string, Parameters<typeof writeSafetensors>[1], string]>([
    ['no vectors', { words }, '[vectors]: expected a tensor F32 or BF16 or F16 or F64 of 2 axes, got none'],
    ['flat vectors', { words, vectors: { ...vectors, shape: [2] } }, 'of 2 axes, got F32 [2]'],
    ['no words', { vectors }, '[words]: expected a tensor U8 of 1 axis, got none'],
    [
      'too few words',
      { vectors, words: { ...words, shape: [1], data: Uint8Array.of(97) } },
      '[words]: expected 2, one for each row of vectors, got 1',
    ],
    [
      'words of other bytes',
      { vectors, words: { ...words, data: Uint8Array.of(97, 10, 255) } },
      '[words]: expected words in UTF-8, got other bytes',
    ],
    [
      'too many counts',
      { vectors, words, counts: { dtype: 'I64', shape: [3], data: BigInt64Array.of(1n, 2n, 3n) } },
      '[counts]: expected 2, got 3',
    ],
  ])('as safetensors with %s are refused', async (_, tensors, message) => {
    const path = join(folder, 'a.safetensors')
    await writeSafetensors(path, tensors)
    await expect(KeyedVectors.load(path)).rejects.toThrow(message)
  })

  it('as safetensors hold tensors that Python finds by name', async () => {
    const path = join(folder, 'a.safetensors')
    await small.save(path)
    const file = await openSafetensors(path)
    expect([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]).sort()).toEqual([
      ['counts', 'I64', [6]],
      ['vectors', 'F32', [6, 2]],
      ['words', 'U8', [39]],
    ])
    await file.close()
  })
})
