// A step of word2vec writes both tables in place where nobody needs the old ones; words that are none are refused before anything is written.
import { afterAll, describe, expect, it } from 'vitest'
import { backend, missing, placed, type Text, value } from '../support/placed-program.js'

describe.skipIf(missing !== undefined)(`steps of word2vec on ${backend}`, () => {
  const { run, dispose } = placed()
  afterAll(dispose)

  const [words, width, length] = [4096, 8, 64]
  const attrs = { model: 'skipGram', window: 3, longest: 1000, stream: 1 }
  const table = (seed: number): Float32Array =>
    Float32Array.from({ length: words * width }, (_, i) => Math.sin(seed + i * i))
  const tokens = Int32Array.from({ length }, (_, i) => (i % 9 === 8 ? -1 : (i * 7) % 50))

  /** Tables are states 6 and 7; feeds are tokens, kept, both of what words are told from, rate, seed and step. */
  function program(isTree: boolean, outputs = 8): Text {
    const among = isTree
      ? [value(2, [words + 1], 'i32'), value(3, [3], 'i32')]
      : [value(2, [words]), value(3, [words], 'i32')]
    return {
      feeds: [
        ...[value(0, [length], 'i32'), value(1, [words]), ...among],
        ...[value(4, []), value(5, [2], 'i32'), value(6, [], 'i32')],
      ],
      states: [value(7, [words, width]), value(8, [words, width])],
      nodes: [
        {
          op: isTree ? 'word2vecTree' : 'word2vec',
          path: 'step',
          in: [7, outputs, 0, 1, 2, 3, 4, 5, 6],
          out: [value(9, [words, width]), value(10, [words, width]), value(11, []), value(12, [])],
          attrs: isTree ? attrs : { ...attrs, negatives: 4 },
        },
      ],
      assigns: [
        { state: 7, value: 9 },
        { state: 8, value: 10 },
      ],
      fetches: [
        { name: 'loss', value: 11 },
        { name: 'scores', value: 12 },
      ],
    }
  }

  const rest = (among: readonly [Float32Array | Int32Array, Int32Array]) => [
    ...[new Float32Array(words).fill(1), ...among],
    ...[Float32Array.of(0.1), Int32Array.of(1, 2), Int32Array.of(3)],
  ]
  const alias = [new Float32Array(words).fill(1), new Int32Array(words)] as const
  const fetches = (): [Float32Array, Float32Array] => [new Float32Array(1), new Float32Array(1)]

  it('writes rows of both tables, in place', async () => {
    const [inputs, outputs] = [table(1), table(2)]
    const [loss, scores] = fetches()
    const { arenaBytes, error } = await run(program(false), [inputs, outputs], [tokens, ...rest(alias)], [loss, scores])
    expect(error).toBeUndefined()
    expect(loss[0]).toBeGreaterThan(0)
    expect(scores[0]).toBeGreaterThan(length)
    const changed = (now: Float32Array, before: Float32Array) => {
      const rows = Array.from({ length: words }, (_, row) => row)
      return rows.filter((row) =>
        now.subarray(row * width, (row + 1) * width).some((x, k) => x !== before[row * width + k]),
      )
    }
    // Of the inputs those of the text alone.
    expect(changed(inputs, table(1))).toEqual([...new Set(tokens)].filter((word) => word >= 0).sort((a, b) => a - b))
    expect(changed(outputs, table(2)).length).toBeGreaterThan(50)
    expect(arenaBytes).toBeLessThan((words * width * 4) / 2)
  })

  it('keeps tables apart that are one before', async () => {
    const [inputs, outputs, same] = [table(1), table(1), table(1)]
    const feeds = [tokens, ...rest(alias)]
    await run(program(false), [inputs, outputs], feeds, fetches())
    // The second table is assigned what became of the first one's copy.
    const other = table(3)
    await run(program(false, 7), [same, other], feeds, fetches())
    expect(same).toEqual(inputs)
    expect(other).toEqual(outputs)
  })

  it.each([
    [
      'a word',
      'word2vec',
      () => [tokens.with(20, words), ...rest(alias)],
      /words 0\.\.4095 or -1, got 4096 at place 20/,
    ],
    [
      'a word below -1',
      'word2vec',
      () => [tokens.with(3, -2), ...rest(alias)],
      /words 0\.\.4095 or -1, got -2 at place 3/,
    ],
    [
      'another word',
      'word2vec',
      () => [tokens, ...rest([alias[0], alias[1].with(9, -1)])],
      /0\.\.4095, got -1 at \w+ 9/,
    ],
    [
      'a code',
      'word2vecTree',
      () => [tokens, ...rest([starts(3), Int32Array.of(0, 1, 2 * words)])],
      /0\.\.8191, got 8192/,
    ],
    ['a way', 'word2vecTree', () => [tokens, ...rest([starts(4), Int32Array.of(0, 1, 2)])], /codes/],
  ] as const)('refuses %s that is none, and leaves both tables as they were', async (_, op, feeds, message) => {
    const [inputs, outputs] = [table(1), table(2)]
    const { error } = await run(program(op === 'word2vecTree'), [inputs, outputs], feeds(), fetches())
    expect(error).toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) as string })
    expect([inputs, outputs]).toEqual([table(1), table(2)])
  })

  /** The first word's way is of `end` codes, the others have none. */
  function starts(end: number): Int32Array {
    return new Int32Array(words + 1).fill(end).fill(0, 0, 1)
  }
})
