// What doctor says of threads.
import { describe, expect, it } from 'vitest'
import { sayThreads } from '../../../lib/recipes/index.js'

describe('threads', () => {
  it('are said with their speed, and with a remedy where one alone is faster', () => {
    expect(sayThreads({ threads: 2, one: 100_000, all: 180_000 })).toBe(
      '2 threads 180000 examples/s, one 100000 (a small perceptron)',
    )
    expect(sayThreads({ threads: 2, one: 100_000, all: 95_000 })).not.toContain('faster')
    expect(sayThreads({ threads: 2, one: 180_000, all: 50_000 })).toBe(
      '2 threads 50000 examples/s, one 180000 (a small perceptron): one is faster, as where other work has the cores; try --threads 1',
    )
  })
})
