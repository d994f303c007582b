// A real checkpoint of which one bit has changed: refused wherever it is, by everything that reads it.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PhiloxStream } from '../../lib/data/index.js'
import * as optim from '../../lib/optim/index.js'
import { CheckpointError, openSafetensors, writeSafetensors } from '../../lib/files/index.js'
import { load } from '../../lib/infer/index.js'
import { session } from '../../lib/train/index.js'
import { ostrich } from '../support/command-line.js'
import { convolutional, images, options, side, using } from './tasks.js'

let folder = ''
let path = ''
let whole = new Uint8Array()
let names: readonly string[] = []
const more = { optimizer: optim.adam({ rate: 0.01 }) }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-damage-'))
  path = join(folder, 'last.safetensors')
  await using(convolutional(), more, async (run) => {
    await run.run()
    await run.save(path)
  })
  whole = await readFile(path)
  const file = await openSafetensors(path)
  names = [...file.tensors.keys()]
  await file.close()
})
afterAll(() => rm(folder, { recursive: true }))

/** The file with one bit changed. */
async function flip(bit: number): Promise<string> {
  const bytes = Uint8Array.from(whole)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  const damaged = join(folder, 'damaged.safetensors')
  await writeFile(damaged, bytes)
  return damaged
}

describe('150 random bits', () => {
  it('are each noticed by load and resume, which name the tensor or the header', { timeout: 120_000 }, async () => {
    const random = new PhiloxStream(24, 0, 0)
    const headerBits = 8 * (8 + Number(Buffer.from(whole).readBigUInt64LE(0)))
    const run = await session(convolutional(), options(more))
    const before = await run.parameters()
    for (let i = 0; i < 150; i++) {
      const bit = random.below(i < 120 ? 8 * whole.length : headerBits)
      const damaged = await flip(bit)
      for (const read of [() => load(damaged, convolutional(), { device: 'cpu' }), () => run.resume(damaged)]) {
        const error = await read().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error, `bit ${bit}`).toBeInstanceOf(CheckpointError)
        const { message } = error as CheckpointError
        if (bit < headerBits) expect(message).toContain('damaged.safetensors')
        else
          expect(names.some((name) => message.includes(`damaged.safetensors[${name}]: expected the bytes`))).toBe(true)
      }
    }
    expect(await run.parameters()).toEqual(before)
    await run.resume(path)
    expect(run.step).toBe(10)
    await run.dispose()
  })
})

describe('ostrich check', () => {
  it('says what is whole, what is damaged, and what it cannot tell', async () => {
    const check = (given: string) => ostrich(folder, ['check', given])
    for (const given of ['last.safetensors', '.']) {
      const { code, out } = await check(given)
      expect(code).toBe(0)
      expect(out).toMatch(/last\.safetensors: as it was written: 20 tensors, 1 MB, after step 10\n$/)
    }
    const damaged = await check(await flip(8 * (whole.length - 1)))
    expect([damaged.code, damaged.out]).toEqual([1, ''])
    expect(damaged.err).toMatch(
      /damaged\.safetensors\[step\]: expected the bytes that were written.*\(ERR_CHECKPOINT\)/,
    )
    await writeSafetensors(join(folder, 'plain.safetensors'), {
      w: { dtype: 'U8', shape: [1], data: Uint8Array.of(1) },
    })
    const plain = await check('plain.safetensors')
    expect(plain.code).toBe(0)
    expect(plain.out).toContain('plain.safetensors: the header is whole (1 tensor, 1 MB); there are no digests')
    expect((await check('none')).code).toBe(1)
  })
})

describe('a run that met a bad label', () => {
  it('is saved with the steps that were done, and goes on from there', async () => {
    const good = images(160)
    const bad = {
      ...good,
      gather: (indices: Uint32Array | readonly number[], out: { x: Uint8Array; target: Int32Array }) => {
        void good.gather(indices, out)
        if (Array.from(indices).includes(70)) out.target[0] = 99
      },
    }
    const saved = join(folder, 'half.safetensors')
    await using(convolutional(), { ...more, data: bad, shuffle: false }, async (run) => {
      await expect(run.run()).rejects.toMatchObject({ code: 'ERR_DATA' })
      await run.save(saved)
    })
    await using(convolutional(), { ...more, shuffle: false }, async (run) => {
      await run.resume(saved)
      expect((await run.run()).step).toBeGreaterThanOrEqual(10)
    })
    await using model = await load(saved, convolutional(), { device: 'cpu' })
    expect(await model.predict(new Uint8Array(side * side))).toHaveLength(5)
  })
})
