// Keeps a producer of batches ahead of its consumer, so reading overlaps with the device's work on the last batch.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DataError } from './errors.js'

/**
 * Iterates `source` with up to `depth` items produced or under way beyond the one that the consumer holds.
 *
 * Items keep their order and `next()` of the source is never called twice at once. New work starts on a later turn of the
 * event loop, after the consumer has had the chance to start the device. An error of the source is thrown when the
 * consumer reaches its place; leaving early waits for the item under way and then calls the source's `return()`.
 *
 * @param depth how many items ahead, an integer >= 1
 * @throws DataError when `depth` is not a positive integer
 * @example
 * for await (const line of prefetch(readLines(), 2)) await work(line)
 */
export function prefetch<T>(source: Iterable<T> | AsyncIterable<T>, depth = 2): AsyncGenerator<T, void, undefined> {
  if (!Number.isSafeInteger(depth) || depth < 1) {
    throw new DataError(`prefetch[depth]: expected an integer of 1 or more, got ${depth}`)
  }
  return pump(source, depth)
}

async function* pump<T>(source: Iterable<T> | AsyncIterable<T>, depth: number): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const queue: Promise<IteratorResult<T>>[] = []
  let last: Promise<IteratorResult<T> | undefined> = Promise.resolve(undefined)
  const state = { open: true }
  const request = (): void => {
    const item = last.then(async (before) => {
      if (before?.done === true) return before
      if (before !== undefined) await nextTurn()
      return take(iterator)
    })
    // Whoever reaches this place in the queue gets the error; until then it must not count as unhandled.
    item.catch(() => undefined)
    queue.push(item)
    last = item
  }
  const take = async (from: Iterator<T> | AsyncIterator<T>): Promise<IteratorResult<T>> => {
    try {
      const result = await from.next()
      if (result.done === true) state.open = false
      return result
    } catch (error) {
      state.open = false
      throw error
    }
  }
  try {
    while (queue.length < depth) request()
    for (;;) {
      request()
      const result = await queue.shift()
      if (result === undefined || result.done === true) return
      yield result.value
    }
  } finally {
    await last.catch(() => undefined)
    if (state.open) await iterator.return?.()
  }
}
