// The safetensors format: what is written can be read here and by Python.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  CheckpointError,
  openSafetensors,
  writeSafetensors,
  type TensorDtype,
  type TensorSource,
} from '../../../lib/files/safetensors.js'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-test-'))
  path = join(folder, 'net.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

const all: Record<string, TensorSource> = {
  'net/b': { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) },
  'net/w': { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1.5, -0, Infinity, 4, 5, 6) },
  'Größe 重み': { dtype: 'BF16', shape: [2, 1], data: Uint16Array.of(0x3f80, 0xc000) },
  step: { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 62n)) },
  labels: { dtype: 'I32', shape: [2], data: Int32Array.of(-7, 7) },
  exact: { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
  empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  __proto__x: { dtype: 'BOOL', shape: [1], data: Uint8Array.of(1) },
}

describe('writeSafetensors and openSafetensors', () => {
  it('return what was written, tensor by tensor', async () => {
    await writeSafetensors(path, all, { step: '10', 'naïve "key"': 'line\nbreak' })
    const file = await openSafetensors(path)
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(all).sort())
    expect(Object.fromEntries(file.metadata)).toEqual({ step: '10', 'naïve "key"': 'line\nbreak' })
    for (const [name, { dtype, shape, data }] of Object.entries(all)) {
      expect(file.tensors.get(name)).toMatchObject({ dtype, shape })
      expect(await file.read(name)).toEqual(data)
    }
    await file.close()
  })

  it('align the data to 8 bytes and every tensor to its elements, whatever the order given', async () => {
    await writeSafetensors(path, all, { a: 'b' })
    const bytes = await readFile(path)
    const length = Number(bytes.readBigUInt64LE(0))
    expect(length % 8).toBe(0)
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
      string,
      { data_offsets: [number, number] }
    >
    for (const [name, { data }] of Object.entries(all)) {
      expect((header[name]?.data_offsets[0] ?? NaN) % (data as Uint8Array).BYTES_PER_ELEMENT).toBe(0)
    }
    await writeSafetensors(`${path}2`, Object.fromEntries(Object.entries(all).reverse()), { a: 'b' })
    expect(await readFile(`${path}2`)).toEqual(bytes)
  })

  it('write views and arrays that are made when their turn comes', async () => {
    const whole = Float32Array.of(0, 1, 2, 3)
    await writeSafetensors(path, {
      view: { dtype: 'F32', shape: [2], data: whole.subarray(1, 3) },
      made: { dtype: 'F32', shape: [1], data: () => Promise.resolve(Float32Array.of(9)) },
    })
    await using file = await openSafetensors(path)
    expect(await file.read('view')).toEqual(Float32Array.of(1, 2))
    expect(await file.read('made')).toEqual(Float32Array.of(9))
    await expect(file.read('none')).rejects.toThrow(/net.safetensors\[none\]: expected a tensor of this name/)
  })

  it('write arrays that come in pieces, and refuse pieces that are too few, too many or of another kind', async () => {
    const pieces = (...given: Float32Array<ArrayBuffer>[]) =>
      async function* () {
        await Promise.resolve()
        yield* given
      }
    const write = (data: TensorSource['data'], digests = false) =>
      writeSafetensors(path, { w: { dtype: 'F32', shape: [2, 3], data } }, {}, { digests })
    for (const digests of [false, true]) {
      await write(pieces(Float32Array.of(1, 2, 3, 4), new Float32Array(0), Float32Array.of(5, 6)), digests)
      await using file = await openSafetensors(path)
      if (digests) await file.check()
      expect(await file.read('w')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    }
    await expect(write(pieces(new Float32Array(5)))).rejects.toThrow('[w]: expected 6 elements in pieces, got 5')
    await expect(write(pieces(new Float32Array(5), new Float32Array(2)))).rejects.toThrow('[w]: expected Float32Array')
    const others = async function* () {
      await Promise.resolve()
      yield new Int32Array(6)
    }
    await expect(write(others)).rejects.toThrow('[w]: expected Float32Array of length 6 for F32 [6], got Int32Array')
  })

  it('read a tensor in pieces, the last of what is left, each in the place of the one before', async () => {
    await writeSafetensors(path, all)
    await using file = await openSafetensors(path)
    const pieces: number[][] = []
    const buffers = new Set<ArrayBufferLike>()
    for await (const piece of file.pieces('net/w', 4)) {
      pieces.push([...(piece as Float32Array)])
      buffers.add(piece.buffer)
    }
    expect(pieces).toEqual([
      [1.5, -0, Infinity, 4],
      [5, 6],
    ])
    expect(buffers.size).toBe(1)
    for await (const piece of file.pieces('labels', 100)) expect(piece).toEqual(Int32Array.of(-7, 7))
    for await (const piece of file.pieces('empty', 4)) expect(piece).toBeUndefined()
    await expect(file.pieces('absent', 4).next()).rejects.toThrow('[absent]: expected a tensor of this name')
  })

  it('keep metadata that looks like a header', async () => {
    const metadata = { a: '","b":"', b: '{"a":{"dtype":', 'c\\': '\\' }
    await writeSafetensors(path, {}, metadata)
    await using file = await openSafetensors(path)
    expect(Object.fromEntries(file.metadata)).toEqual(metadata)
  })

  it('hold a file with no tensor', async () => {
    await writeSafetensors(path, {})
    await using file = await openSafetensors(path)
    expect(file.tensors.size).toBe(0)
  })

  it.each<[string, Record<string, TensorSource>, RegExp]>([
    [
      'another kind of array',
      { w: { dtype: 'F32', shape: [1], data: new Float64Array(1) } },
      /\[w\]: expected Float32Array of length 1 for F32 \[1\], got Float64Array of length 1/,
    ],
    [
      'a length that does not fit',
      { w: { dtype: 'F32', shape: [2, 2], data: new Float32Array(3) } },
      /expected Float32Array of length 4 .*got Float32Array of length 3/,
    ],
    [
      'a late array that does not fit',
      { w: { dtype: 'F32', shape: [2], data: () => new Float32Array(3) } },
      /got Float32Array of length 3/,
    ],
    [
      'a negative extent',
      { w: { dtype: 'F32', shape: [-1], data: new Float32Array(1) } },
      /expected a shape of whole numbers.*got \[-1\]/,
    ],
    [
      'an unknown dtype',
      { w: { dtype: 'F8' as TensorDtype, shape: [1], data: new Uint8Array(1) } },
      /expected a known dtype, got F8/,
    ],
    [
      'the reserved name',
      { __metadata__: { dtype: 'U8', shape: [1], data: new Uint8Array(1) } },
      /expected another name/,
    ],
  ])('refuse to write %s and leave the old file', async (_, tensors, message) => {
    await writeFile(path, 'old')
    await expect(writeSafetensors(path, tensors)).rejects.toThrow(message)
    await expect(writeSafetensors(path, tensors)).rejects.toThrow(CheckpointError)
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['net.safetensors'])
  })

  it('refuse metadata that is no string', async () => {
    await expect(writeSafetensors(path, {}, { step: 1 as unknown as string })).rejects.toThrow(
      /\[step\]: expected a string, got number/,
    )
  })

  it('leave the old file when the data cannot be made, or the folder is not there', async () => {
    await writeFile(path, 'old')
    const broken: TensorSource = { dtype: 'F32', shape: [1], data: () => Promise.reject(new Error('device lost')) }
    await expect(writeSafetensors(path, { w: broken })).rejects.toThrow(
      /device lost; what was there before is unchanged/,
    )
    expect(await readdir(folder)).toEqual(['net.safetensors'])
    await expect(writeSafetensors(join(folder, 'no', 'x'), {})).rejects.toThrow(
      /expected to write the file, got ENOENT/,
    )
  })
})

const python = process.env['OSTRICH_PYTHON'] ?? 'python3'
function pythonHasSafetensors(): boolean {
  try {
    execFileSync(python, ['-c', 'import safetensors.numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!pythonHasSafetensors())('Python safetensors (set OSTRICH_PYTHON to one that has it)', () => {
  it('reads what is written here', async () => {
    const { 'Größe 重み': _, ...tensors } = all
    await writeSafetensors(path, tensors, { step: '10' })
    const script = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework='np') as f:
    print(json.dumps({'metadata': f.metadata(), 'tensors': {k: [str(f.get_tensor(k).dtype), list(f.get_tensor(k).shape), repr(f.get_tensor(k).tolist())] for k in f.keys()}}))`
    const read = JSON.parse(execFileSync(python, ['-c', script, path], { encoding: 'utf8' })) as unknown
    expect(read).toEqual({
      metadata: { step: '10' },
      tensors: {
        'net/b': ['uint8', [3], '[1, 2, 255]'],
        'net/w': ['float32', [2, 3], '[[1.5, -0.0, inf], [4.0, 5.0, 6.0]]'],
        step: ['int64', [], '-4611686018427387904'],
        labels: ['int32', [2], '[-7, 7]'],
        exact: ['float64', [1], '[3.141592653589793]'],
        empty: ['float32', [0, 4], '[]'],
        __proto__x: ['bool', [1], '[True]'],
      },
    })
  })

  it('writes what is read here, byte for byte the same layout', async () => {
    const script = `
import sys, numpy as np
from safetensors.numpy import save_file
save_file({'w': np.array([[1, 2], [3, 4]], np.float32), 'n': np.array([5], np.int64), 'b': np.array([7, 8, 9], np.uint8)}, sys.argv[1], {'made': 'by numpy'})`
    execFileSync(python, ['-c', script, path])
    const file = await openSafetensors(path)
    expect(await file.read('w')).toEqual(Float32Array.of(1, 2, 3, 4))
    expect(await file.read('n')).toEqual(BigInt64Array.of(5n))
    expect(await file.read('b')).toEqual(Uint8Array.of(7, 8, 9))
    expect(file.tensors.get('w')?.shape).toEqual([2, 2])
    await file.close()
    await writeSafetensors(
      `${path}2`,
      {
        w: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
        n: { dtype: 'I64', shape: [1], data: BigInt64Array.of(5n) },
        b: { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) },
      },
      { made: 'by numpy' },
    )
    expect(await readFile(`${path}2`)).toEqual(await readFile(path))
  })
})
