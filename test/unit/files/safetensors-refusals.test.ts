// A safetensors file that lies is refused, whatever is wrong with it.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../../lib/files/safetensors.js'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  path = join(folder, 'net.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

/** The bytes of a file with this JSON and `data` bytes behind it. */
function fileOf(json: string | Uint8Array, data = 0, length?: bigint): Uint8Array {
  const header = typeof json === 'string' ? new TextEncoder().encode(json) : json
  const bytes = new Uint8Array(8 + header.length + data)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(header.length), true)
  bytes.set(header, 8)
  return bytes
}

const entry = (dtype: string, shape: unknown, begin: number, end: number): object => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

describe('openSafetensors', () => {
  const good = JSON.stringify({ a: entry('F32', [2], 0, 8) })
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /expected a file of 8 bytes or more, got 0 bytes/],
    ['a huge header', fileOf('{}', 0, 100_000_001n), /expected a header of at most 100000000 bytes, got 100000001/],
    [
      'a header length of 2^64 - 1',
      fileOf('{}', 0, 2n ** 64n - 1n),
      /at most 100000000 bytes, got 18446744073709551615/,
    ],
    ['a cut header', fileOf(good).subarray(0, 20), /bytes or more for the header, got 20/],
    ['no object', fileOf('[1]'), /expected a header that starts with '\{'/],
    ['an empty header', fileOf(''), /starts with '\{', got byte none/],
    ['bad JSON', fileOf('{"a":'), /expected a header of UTF-8 JSON, got/],
    ['bad UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), /expected a header of UTF-8 JSON/],
    [
      'a name twice',
      fileOf(
        `{"a":${JSON.stringify(entry('U8', [1], 0, 1))},"\\u0061" : ${JSON.stringify(entry('U8', [1], 0, 1))}}`,
        1,
      ),
      /expected every name once, got 'a' twice/,
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /got 'dtype' twice/,
    ],
    [
      'metadata of numbers',
      fileOf('{"__metadata__":{"step":1}}'),
      /\[__metadata__\]: expected an object of strings, got \{"step":1\}/,
    ],
    [
      'an unknown dtype',
      fileOf(JSON.stringify({ a: entry('F128', [1], 0, 16) }), 16),
      /\[a\]: expected a dtype of F64.*got F128/,
    ],
    [
      'a dtype from the prototype',
      fileOf(JSON.stringify({ a: entry('toString', [1], 0, 16) }), 16),
      /\[a\]: expected a dtype of/,
    ],
    ['an entry that is no object', fileOf('{"a":[]}'), /\[a\]: expected an object with dtype/],
    [
      'an unknown key',
      fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"path":"x"}}', 1),
      /expected only dtype, shape and data_offsets, got path/,
    ],
    [
      'a negative extent',
      fileOf(JSON.stringify({ a: entry('F32', [-2], 0, 8) }), 8),
      /expected a shape of whole numbers, got \[-2\]/,
    ],
    ['a shape that is no list', fileOf(JSON.stringify({ a: entry('F32', '2', 0, 8) }), 8), /expected a shape/],
    [
      'an overflowing shape',
      fileOf(JSON.stringify({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }), 8),
      /expected a countable number of bytes/,
    ],
    [
      'a shape that does not fit',
      fileOf(JSON.stringify({ a: entry('F32', [3], 0, 8) }), 8),
      /expected 12 bytes for F32 \[3\], got offsets \[0, 8\]/,
    ],
    ['offsets backwards', fileOf(JSON.stringify({ a: entry('F32', [2], 8, 0) }), 8), /got offsets \[8, 0\]/],
    ['fractional offsets', fileOf(JSON.stringify({ a: entry('F32', [2], 0, 8.5) }), 8), /expected data_offsets/],
    ['data out of bounds', fileOf(good, 7), /expected 8 bytes of tensors, got 7/],
    ['bytes left over', fileOf(good, 9), /expected 8 bytes of tensors, got 9/],
    [
      'an overlap',
      fileOf(JSON.stringify({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 4, 12) }), 12),
      /\[b\]: expected data at offset 8, got 4, which overlaps/,
    ],
    [
      'a gap',
      fileOf(JSON.stringify({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 12, 20) }), 20),
      /\[b\]: expected data at offset 8, got 12, which leaves a gap/,
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await writeFile(path, bytes)
    await expect(openSafetensors(path)).rejects.toThrow(message)
    await expect(openSafetensors(path)).rejects.toThrow(CheckpointError)
  })

  it('names an absent file, a folder, and a pipe, for whose writer it does not wait', async () => {
    await expect(openSafetensors(join(folder, 'none'))).rejects.toThrow(/none: expected a readable file, got ENOENT/)
    await expect(openSafetensors(folder)).rejects.toThrow(/expected a file of 8 bytes or more, got a folder/)
    await expect(openSafetensors(folder)).rejects.toThrow(CheckpointError)
    execFileSync('mkfifo', [path])
    await expect(openSafetensors(path)).rejects.toThrow(/expected a file of 8 bytes or more, got a pipe/)
  })

  it.each<[string, () => string, RegExp]>([
    [
      'brackets within brackets',
      () => `{"a":${'['.repeat(5e6)}${']'.repeat(5e6)}}`,
      /expected a header with 3 brackets within each other, got more/,
    ],
    [
      'objects within objects',
      () => `{"__metadata__":${'{"a":'.repeat(1e6)}1${'}'.repeat(1e6)}}`,
      /expected a header with 3 brackets within each other, got more/,
    ],
    [
      'a million empty tensors',
      () =>
        `{${Array.from({ length: 1e6 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join()}}`,
      /expected a header of at most 100000 tensors, got more/,
    ],
  ])('refuses %s at once', async (_, header, message) => {
    await writeFile(path, fileOf(header()))
    const began = performance.now()
    const error = await openSafetensors(path).catch((reason: unknown) => reason)
    expect(performance.now() - began).toBeLessThan(1000)
    expect(error).toBeInstanceOf(CheckpointError)
    expect((error as Error).message).toMatch(message)
  })

  it('takes brackets in names and in metadata for what they are', async () => {
    const name = '[[[[{{{{"\\"'
    await writeSafetensors(path, { [name]: { dtype: 'U8', shape: [1], data: Uint8Array.of(7) } }, { a: '[[[[[' })
    await using file = await openSafetensors(path)
    expect(await file.read(name)).toEqual(Uint8Array.of(7))
  })

  it('says when the file is cut after it was opened', async () => {
    await writeFile(path, fileOf(good, 8))
    await using file = await openSafetensors(path)
    await truncate(path, 8 + good.length + 5)
    await expect(file.read('a')).rejects.toThrow(/\[a\]: expected 8 bytes, got 5; the file was cut/)
  })

  it('survives 2,000 mutated files with nothing but CheckpointError', async () => {
    const [w, step] = [Float32Array.of(1.5, -0, Infinity, 4), BigInt64Array.of(-(2n ** 62n))]
    const tensors = {
      Größe: { dtype: 'F32', shape: [2, 2], data: w },
      step: { dtype: 'I64', shape: [], data: step },
    } as const
    await writeSafetensors(path, tensors, { a: 'b' })
    const original = await readFile(path)
    let state = 1
    const below = (bound: number): number => (state = (state * 48271) % 2147483647) % bound
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(original)
      for (let change = 0; change < 2; change++) bytes[below(round % 2 === 0 ? 400 : bytes.length)] = below(256)
      await writeFile(path, round % 5 === 0 ? bytes.subarray(0, below(bytes.length)) : bytes)
      try {
        const file = await openSafetensors(path)
        for (const name of file.tensors.keys()) await file.read(name)
        await file.close()
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError)
      }
    }
  })
})
