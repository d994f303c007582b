// Reading ahead: order, distance, errors, and what happens to the source when the consumer leaves.
import { describe, expect, it } from 'vitest'
import { DataError, prefetch } from '../../../lib/data/index.js'
import { collectAll } from './support.js'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function source(length: number, log: string[], failAt = Infinity, delay = 1) {
  let next = 0
  let busy = false
  let over = false
  return {
    made: () => next,
    [Symbol.asyncIterator]() {
      return {
        async next(): Promise<IteratorResult<number>> {
          if (busy) log.push('overlap')
          if (over) log.push('next after the end')
          busy = true
          await pause(delay)
          busy = false
          if (next === failAt) throw new Error(`item ${next} is broken`)
          over = next === length
          return over ? { done: true, value: undefined } : { done: false, value: next++ }
        },
        return(): Promise<IteratorResult<number>> {
          over = true
          log.push(busy ? 'return while busy' : 'return')
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}

describe('prefetch', () => {
  it('keeps the order and calls next() one at a time', async () => {
    const log: string[] = []
    const seen: number[] = []
    for await (const item of prefetch(source(7, log), 3)) seen.push(item)
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(log).toEqual([])
  })

  it('stays exactly `depth` items ahead', async () => {
    const from = source(100, [])
    const items = prefetch(from, 2)
    expect((await items.next()).value).toBe(0)
    await pause(30)
    expect(from.made()).toBe(3)
    await items.next()
    await pause(30)
    expect(from.made()).toBe(4)
    await items.return()
  })

  it('throws the error of the source in its place, and only there', async () => {
    const log: string[] = []
    const seen: number[] = []
    const reading = (async () => {
      for await (const item of prefetch(source(9, log, 3), 2)) {
        await pause(5)
        seen.push(item)
      }
    })()
    await expect(reading).rejects.toThrow('item 3 is broken')
    expect(seen).toEqual([0, 1, 2])
    expect(log).toEqual([])
  })

  it('returns the source on early exit, after the item under way', async () => {
    const log: string[] = []
    for await (const item of prefetch(source(9, log, Infinity, 10), 2)) {
      // By now the source works on a later item.
      await pause(5)
      if (item === 1) break
    }
    expect(log).toEqual(['return'])
    await pause(30)
    expect(log).toEqual(['return'])
  })

  it('takes plain iterables and empty ones', async () => {
    expect(await collectAll(prefetch([1, 2, 3]))).toEqual([1, 2, 3])
    expect(await collectAll(prefetch([]))).toEqual([])
  })

  it.each([[0], [-1], [1.5], [Number.NaN]])('refuses depth %d', (depth) => {
    expect(() => prefetch([1], depth)).toThrow(DataError)
  })
})
