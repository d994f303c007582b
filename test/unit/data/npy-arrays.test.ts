// .npy and .npz: NumPy 2's own bytes, read and written, every type there and back, and what is refused.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DataError, type NpyArray, readNpy, readNpz, writeNpy, writeNpz } from '../../../lib/data/index.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-npy-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** A file of these bytes, in base64. */
async function given(name: string, bytes: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, Buffer.from(bytes, 'base64'))
  return path
}

const head = (text: string, more: number) => Buffer.from(`\x93NUMPY\x01\x00v\x00${text}${' '.repeat(more)}\n`, 'latin1')
/** numpy.save of arange(6).reshape(2, 3) / 4 in float32. */
const quarters = 'AAAAAAAAgD4AAAA/AABAPwAAgD8AAKA/'
const npy = (descr: string, values: string, order = 'False', shape = '(2, 3)') => {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`
  return Buffer.concat([head(text, 117 - text.length), Buffer.from(values, 'base64')]).toString('base64')
}
/** numpy.savez_compressed(x=<the same>, y=array([1, 2, 3], int32)). */
const npz =
  'UEsDBC0AAAAIAAAAIQAKnACk//////////8FABQAeC5ucHkBABAAmAAAAAAAAABWAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYwaLADEvYMDA5A3ADEC+wBUEsDBC0AAAAIAAAAIQDrwCsE//////////8FABQAeS5ucHkBABAAjAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoUAC5GBgYGJiBmBmIAUEsBAi0DLQAAAAgAAAAhAAqcAKRWAAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhAOvAKwRNAAAAjAAAAAUAAAAAAAAAAAAAAIABjQAAAHkubnB5UEsFBgAAAAACAAIAZgAAABEBAAAAAA=='

const x: NpyArray = { shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) }
const y: NpyArray = { shape: [3], data: Int32Array.of(1, 2, 3) }

describe('.npy', () => {
  it("is NumPy's own, to the byte", async () => {
    const path = await given('own.npy', npy('<f4', quarters))
    expect(await readNpy(path)).toEqual(x)
    await writeNpy(join(folder, 'made.npy'), x)
    expect(await readFile(join(folder, 'made.npy'))).toEqual(await readFile(path))
  })

  it('holds a number without axes, and bools', async () => {
    expect(await readNpy(await given('one.npy', npy('<i8', '+f////////8=', 'False', '()')))).toEqual({
      shape: [],
      data: BigInt64Array.of(-7n),
    })
    expect(await readNpy(await given('bool.npy', npy('|b1', 'AQA=', 'False', '(2,)')))).toEqual({
      shape: [2],
      data: Uint8Array.of(1, 0),
    })
  })

  it.for([
    ...[Float32Array.of(1.5, -2), Float64Array.of(Math.PI, -0), Int8Array.of(-1, 2), Int16Array.of(-300, 2)],
    ...[Int32Array.of(-70_000, 2), BigInt64Array.of(-1n, 2n ** 40n), Uint8Array.of(255, 0), Uint16Array.of(65_535, 0)],
    ...[Uint32Array.of(2 ** 32 - 1, 0), BigUint64Array.of(2n ** 63n, 0n)],
  ])('comes back as it was written: %o', async (data) => {
    for (const shape of [[2], [1, 2], [2, 1, 1]]) {
      await writeNpy(join(folder, 'back.npy'), { shape, data })
      expect(await readNpy(join(folder, 'back.npy'))).toEqual({ shape, data })
    }
  })

  it('is written of a part of a buffer, and of no values', async () => {
    const whole = Float32Array.of(1, 2, 3, 4)
    await writeNpy(join(folder, 'part.npy'), { shape: [2], data: whole.subarray(1, 3) })
    expect((await readNpy(join(folder, 'part.npy'))).data).toEqual(Float32Array.of(2, 3))
    await writeNpy(join(folder, 'none.npy'), { shape: [0, 3], data: new Float32Array(0) })
    expect(await readNpy(join(folder, 'none.npy'))).toEqual({ shape: [0, 3], data: new Float32Array(0) })
  })

  it.for([
    ['half.npy', npy('<f2', 'AAAANAA4ADoAPAA9'), /expected values of <f4, .*, got <f2$/],
    ['big.npy', npy('>f4', quarters), /got >f4$/],
    ['fortran.npy', npy('<f4', quarters, 'True'), /expected an array in C order, got one in Fortran's$/],
    ['short.npy', npy('<f4', 'AAAA'), /expected 152 bytes for \[2, 3\], got 131$/],
    ['text.npy', 'aGVsbG8=', /expected a \.npy file of version 1 to 3, got another file$/],
    ['huge.npy', npy('<f4', quarters, 'False', '(9007199254740991, 9007199254740991)'), /got 152$/],
  ] as const)('%s is refused', async ([name, bytes, message]) => {
    const path = await given(name, bytes)
    await expect(readNpy(path)).rejects.toThrow(DataError)
    await expect(readNpy(path)).rejects.toThrow(message)
  })

  it('is not written of what does not fit, and then leaves no file', async () => {
    const path = join(folder, 'bad', 'x.npy')
    await expect(writeNpy(path, { shape: [3], data: Float32Array.of(1, 2) })).rejects.toThrow(
      /expected a typed array of 3 values for \[3\], got Float32Array of 2$/,
    )
    await expect(writeNpy(path, { shape: [2], data: [1, 2] as never })).rejects.toThrow(/got object$/)
    await expect(writeNpy(path, { shape: 2 as never, data: Float32Array.of(1, 2) })).rejects.toThrow(DataError)
    await expect(writeNpy(path, x)).rejects.toThrow('ENOENT')
    await expect(readNpy('nowhere.npy')).rejects.toThrow(/expected a \.npy file that can be read/)
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('.npz', () => {
  it('is read as NumPy wrote it, compressed, and comes back as it was written', async () => {
    expect(await readNpz(await given('own.npz', npz))).toEqual({ x, y })
    await writeNpz(join(folder, 'made.npz'), { x, y, größe: { shape: [], data: Float64Array.of(2) } })
    expect(await readNpz(join(folder, 'made.npz'))).toEqual({ x, y, größe: { shape: [], data: Float64Array.of(2) } })
    await writeNpz(join(folder, 'empty.npz'), {})
    expect(await readNpz(join(folder, 'empty.npz'))).toEqual({})
  })

  it('is refused where it is damaged, or no archive of arrays', async () => {
    const bytes = Buffer.from(npz, 'base64')
    bytes[60]! ^= 1
    await expect(readNpz(await given('bad.npz', bytes.toString('base64')))).rejects.toThrow(DataError)
    await expect(readNpz(await given('no.npz', quarters))).rejects.toThrow(/expected a zip archive/)
  })
})

const python = process.env['OSTRICH_PYTHON'] ?? 'python3'
const runs = (program: string, ...args: string[]) =>
  execFileSync(python, ['-c', program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const hasNumpy = (): boolean => {
  try {
    runs('import numpy')
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasNumpy())('NumPy (set OSTRICH_PYTHON to a Python that has it)', () => {
  it('reads both', async () => {
    await writeNpy(join(folder, 'x.npy'), x)
    await writeNpz(join(folder, 'xy.npz'), { x, y })
    const program = `
import sys, json, numpy as np
x, z = np.load(sys.argv[1]), np.load(sys.argv[2])
print(json.dumps([x.tolist(), str(x.dtype), z['x'].tolist(), z['y'].tolist(), str(z['y'].dtype)]))`
    const rows = [
      [0, 0.25, 0.5],
      [0.75, 1, 1.25],
    ]
    expect(JSON.parse(runs(program, join(folder, 'x.npy'), join(folder, 'xy.npz')))).toEqual([
      ...[rows, 'float32', rows, [1, 2, 3], 'int32'],
    ])
  })
})
