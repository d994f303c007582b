// What a checkpoint says of itself is checked like everything else in a file, and data sets are told apart by a hash.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays } from '../../../lib/data/index.js'
import { type CheckpointInfo, checkTensors, inspectCheckpoint } from '../../../lib/train/checkpoint.js'
import { openSafetensors, writeSafetensors } from '../../../lib/files/safetensors.js'
import { sourcesOf } from '../../../lib/train/source.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-checkpoint-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const good: CheckpointInfo = {
  version: 1,
  step: 3,
  epoch: 0,
  stepInEpoch: 3,
  seed: 1,
  batch: 16,
  precision: 'f32',
  device: 'cpu',
  processor: 'any',
  threads: 2,
  versions: {},
  fields: { x: { dtype: 'u8', shape: [1, 8, 8] } },
  data: 'abc',
  parameters: ['w'],
  config: null,
}

async function written(metadata: string): Promise<string> {
  const path = join(folder, 'one.safetensors')
  await writeSafetensors(path, { w: { dtype: 'F32', shape: [2], data: new Float32Array(2) } }, { ostrich: metadata })
  return path
}

describe('what a checkpoint says of itself', () => {
  it('is read back', async () => {
    expect(await inspectCheckpoint(await written(JSON.stringify(good)))).toEqual(good)
  })

  it.for([
    ['{', /expected an object/],
    ['7', /expected an object/],
    [JSON.stringify({ ...good, version: 2 }), /expected version 1, got 2/],
    [JSON.stringify({ ...good, step: -1 }), /whole number step, got -1/],
    [JSON.stringify({ ...good, epoch: 1e300 }), /whole number epoch/],
    [JSON.stringify({ ...good, stepInEpoch: '3' }), /whole number stepInEpoch/],
    [JSON.stringify({ ...good, precision: 4 }), /string precision/],
    [JSON.stringify({ ...good, precision: 'f16' }), /a precision of f32, tf32, bf16, got f16/],
    [`{"version":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, /version 1, got something nested too deeply/],
    [JSON.stringify({ ...good, parameters: [1] }), /list parameters/],
    [JSON.stringify({ ...good, fields: { x: { dtype: 'f64', shape: [1] } } }), /dtype and shape of the field x/],
    [JSON.stringify({ ...good, fields: { x: { dtype: 'u8', shape: [0] } } }), /dtype and shape of the field x/],
    [JSON.stringify({ ...good, fields: null }), /expected fields/],
  ] as const)('case %# of what is wrong is refused', async ([metadata, message]) => {
    const path = await written(metadata)
    await expect(inspectCheckpoint(path)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' })
    await expect(inspectCheckpoint(path)).rejects.toThrow(message)
  })
})

describe('tensors', () => {
  it('are held to what is expected', async () => {
    const file = await openSafetensors(await written(JSON.stringify(good)))
    const none = (): boolean => false
    expect(() => {
      checkTensors(file, [{ name: 'w', dtype: 'f32', shape: [2] }], none)
    }).not.toThrow()
    expect(() => {
      checkTensors(file, [{ name: 'w', dtype: 'i32', shape: [2] }], none)
    }).toThrow(/w \(expected I32 \[2\], got F32 \[2\]\)/)
    expect(() => {
      checkTensors(file, [], none)
    }).toThrow(/not expected w$/)
    expect(() => {
      checkTensors(file, [], (name) => name === 'w')
    }).not.toThrow()
    const two = [
      { name: 'a', dtype: 'f32', shape: [] },
      { name: 'b', dtype: 'f32', shape: [] },
    ] as const
    expect(() => {
      checkTensors(file, two, () => true)
    }).toThrow(/missing a and 1 more$/)
    await file.close()
  })
})

describe('a training set', () => {
  const set = (values: readonly number[], target: readonly number[]) =>
    sourcesOf(arrays({ x: { data: Uint8Array.from(values), shape: [2] }, target: Int32Array.from(target) })).train

  it('is told from another by its fingerprint', async () => {
    const own = await set([1, 2, 3, 4], [0, 1]).fingerprint()
    expect(await set([1, 2, 3, 4], [0, 1]).fingerprint()).toBe(own)
    for (const other of [set([1, 2, 3, 5], [0, 1]), set([1, 2, 3, 4], [1, 1]), set([1, 2], [0])]) {
      expect(await other.fingerprint()).not.toBe(own)
    }
  })
})
