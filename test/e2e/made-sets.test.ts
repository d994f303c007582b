// Data sets that are made as they are read: the same with threads and without, and nobody is kept alive by them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  batches,
  type Dataset,
  type Fields,
  getSvhnStrips,
  movingMnist,
  numberStrips,
  svhnStrips,
} from '../../dist/data/index.js'
import { writeHandwriting } from '../support/handwriting.js'
import { writeSvhnCopy } from '../support/svhn-copy.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-made-'))
  await writeHandwriting(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Whether two sets give the same batches; the last one is short, and pieces of it are of several lengths. */
async function agree<F extends Fields>(one: Dataset<F>, other: Dataset<F>, epoch: number): Promise<number> {
  const how = { batch: 25, shuffle: true, augment: true, seed: 4, epoch }
  const [a, b] = [batches(one, how), batches(other, how)]
  let rows = 0
  for (;;) {
    const [first, second] = [await a.next(), await b.next()]
    if (first.done === true || second.done === true) {
      expect(first.done).toBe(second.done)
      return rows
    }
    expect(first.value.count).toBe(second.value.count)
    for (const name of Object.keys(one.fields)) {
      const [left, right] = [first.value.feeds[name]!, second.value.feeds[name]!]
      expect(left.length).toBe(right.length)
      expect([name, Buffer.compare(Buffer.from(left.buffer), Buffer.from(right.buffer))]).toEqual([name, 0])
    }
    rows += first.value.count
  }
}

describe('threads', () => {
  it('compose the same strips', async () => {
    const alone = await numberStrips({ dir: folder, train: 130, validation: 30 })
    const threads = await numberStrips({ dir: folder, train: 130, validation: 30, workers: 3 })
    expect(await agree(alone.train, threads.train, 0)).toBe(130)
    expect(await agree(alone.train, threads.train, 1)).toBe(130)
    expect(await agree(alone.validation!, threads.validation!, 1)).toBe(30)
    const digits = new Int32Array(5)
    await threads.test.gather([4], { digits } as never)
    const x = new Uint8Array(3)
    await expect(threads.train.gather([0], { x } as never)).rejects.toThrow(
      /gather\[x\]: expected Uint8Array of length 8748/,
    )
    const room = { x: new Uint8Array(3 * 54 * 54) }
    await expect(threads.train.gather([130], room as never)).rejects.toThrow(/indices in \[0, 130\), got 130/)
    await threads.close()
    await expect(threads.train.gather([0], room as never)).rejects.toThrow(/was closed/)
  })

  it('compose the same numbers of crops', async () => {
    const dir = await getSvhnStrips({ from: await writeSvhnCopy(folder, 14), dir: join(folder, 'cache') })
    const how = { dir, mnist: folder, train: 60, validation: 10 }
    const [alone, threads] = [await svhnStrips(how), await svhnStrips({ ...how, workers: 2 })]
    expect(await agree(alone.train, threads.train, 1)).toBe(60)
    expect(await agree(alone.validation!, threads.validation!, 0)).toBe(10)
    expect(await agree(alone.test, threads.test, 0)).toBe(3)
    await threads.close()
  })

  it('make the same sequences, time first', async () => {
    const how = { dir: folder, train: 60, validation: 10, given: 3, future: 2 }
    const [alone, threads] = [await movingMnist(how), await movingMnist({ ...how, workers: 2 })]
    expect(await agree(alone.train, threads.train, 0)).toBe(60)
    expect(await agree(alone.train, threads.train, 2)).toBe(60)
    expect(await agree(alone.validation!, threads.validation!, 0)).toBe(10)
    await threads.close()
  })
})
