// Decoders: sequences made step by step, on sessions and on loaded models, held to the same network over whole sequences.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays } from '../../lib/data/index.js'
import { read, type Tensor } from '../../lib/graph/index.js'
import { type Compiler, decoder, load, type Model } from '../../lib/infer/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Session, session } from '../../lib/train/index.js'

const [letters, longest, units, features] = [7, 5, 12, 6]
const embed = nn.embedding(letters, features)
const reader = nn.bidirectional(
  nn.lstm({ units, inputs: features }),
  nn.lstm({ units, inputs: features, reverse: true }),
)
const writer = nn.lstm({ units, inputs: features })
const out = nn.linear(units, letters, { init: nn.init.uniform(-2, 2) })

const inTime = (x: Tensor<'i32'>) =>
  ops.transpose(embed(x) as Tensor<'f32'> as nn.Features, [1, 0, 2]) as Tensor<'f32'> as nn.Features
const encode = (x: Tensor<'i32'>, lengths: Tensor<'i32'>): { h: Tensor<'f32'>; c: Tensor<'f32'> } => {
  const { forward, backward } = reader.run(inTime(x), { lengths })
  return { h: ops.add(forward.last.h, backward.last.h), c: forward.last.c }
}
/** Log-probabilities of the letter behind each, [T, N, letters]. */
const write = (x: Tensor<'i32'>, start: { h: Tensor<'f32'>; c: Tensor<'f32'> }) =>
  ops.logSoftmax(out(writer.run(inTime(x), { start }).output as nn.Features))

/** Reads its input twice: every weight is of it. */
const net = (x: Tensor<'i32', [number, number]>): Tensor<'f32', [number, number]> => {
  const lengths = ops.cast(ops.zeros([x.shape[0]]), 'i32')
  const all = write(x, encode(x, ops.add(lengths, longest)))
  return ops.reshape(ops.slice(all, [longest - 1, 0, 0], [1, x.shape[0], letters]), [x.shape[0], letters])
}

let folder = ''
let trained: Session
let model: Model

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-decoder-'))
  const path = join(folder, 'model.safetensors')
  const x = { data: Int32Array.from({ length: 20 * longest }, (_, i) => (5 * i) % letters), shape: [longest] } as const
  const target = Int32Array.from({ length: 20 }, (_, i) => i % letters)
  trained = await session(net, {
    data: { train: arrays({ x, target }) },
    loss: nn.crossEntropy,
    optimizer: optim.adam({ rate: 0.01 }),
    ...{ batch: 10, epochs: 1, device: 'cpu', precision: 'f32' },
  })
  await trained.run()
  await trained.save(path)
  model = await load(path, net, { device: 'cpu' })
})
afterAll(async () => {
  await model.dispose()
  await trained.dispose()
  await rm(folder, { recursive: true })
})

const rows = 3
const words = { x: Int32Array.of(1, 2, 3, 0, 0, 4, 5, 6, 1, 2, 3, 0, 0, 0, 0), lengths: Int32Array.of(3, 5, 1) }
const extents = {
  x: { dtype: 'i32', shape: [rows, longest] },
  lengths: { dtype: 'i32', shape: [rows] },
} as const
const letter = { letter: { dtype: 'i32', shape: [rows] } } as const

/** A decoder of three rows, what starts it, and its step. */
async function opened(of: Compiler) {
  const own = decoder(of, { states: { h: [rows, units], c: [rows, units] } })
  const start = await own.compile(({ x, lengths }) => ({ outputs: {}, states: encode(x, lengths) }), extents)
  const step = await own.compile(({ letter }, states) => {
    const { output, last } = writer.run(inTime(ops.reshape(letter, [rows, 1])), { start: states })
    const scores = ops.logSoftmax(out(output as nn.Features))
    return { outputs: { scores: ops.reshape(scores, [rows, letters]) }, states: last }
  }, letter)
  const next = async (...given: number[]): Promise<Float32Array> =>
    (await step.run({ letter: Int32Array.from(given) })).scores
  return { own, start, step, next }
}

/** The same over whole sequences, [T, N, letters], in one go: row n reads the letters of `histories[n]` behind the word `from[n]`. */
async function whole(of: Compiler, histories: readonly (readonly number[])[], from: readonly number[]) {
  const steps = histories[0]!.length
  const compiled = await of.compile(
    (x: Tensor<'i32'>, lengths: Tensor<'i32'>, y: Tensor<'i32'>) => ({
      scores: write(y, encode(x, lengths)),
    }),
    { ...extents, y: { dtype: 'i32', shape: [rows, steps] } },
  )
  const x = Int32Array.from(from.flatMap((n) => [...words.x.subarray(n * longest, (n + 1) * longest)]))
  const lengths = Int32Array.from(from, (n) => words.lengths[n]!)
  const found = await compiled.run({ x, lengths, y: Int32Array.from(histories.flat()) })
  compiled.dispose()
  return (found as { scores: Float32Array }).scores
}

const likeliest = (scores: Float32Array, row: number): number => {
  const own = [...scores.subarray(row * letters, (row + 1) * letters)]
  return own.indexOf(Math.max(...own))
}
const expectClose = (got: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(got).toHaveLength(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i]! - wanted[i]!)).toBeLessThan(2e-5)
}

describe.each(['session', 'model'])('a decoder over a %s', (kind) => {
  const of = (): Compiler => (kind === 'session' ? trained : model)

  it('writes greedily what the network gives over the whole sequence', async () => {
    const { own, start, next } = await opened(of())
    await start.run(words)
    const [histories, found] = [[[0], [0], [0]], [] as Float32Array[]]
    for (let t = 0; t < 6; t++) {
      const scores = await next(...histories.map((history) => history.at(-1)!))
      found.push(scores)
      histories.forEach((history, n) => history.push(likeliest(scores, n)))
    }
    const scores = await whole(
      of(),
      histories.map((history) => history.slice(0, -1)),
      [0, 1, 2],
    )
    expectClose(
      found.flatMap((one) => [...one]),
      scores,
    )
    expect(new Set(histories.map(String)).size).toBeGreaterThan(1)
    own.dispose()
  })

  it('goes on from the rows that it is told, and goes back', async () => {
    const { own, start, next } = await opened(of())
    await start.run(words)
    await next(0, 0, 0)
    await next(1, 2, 3)
    await own.save()
    await own.select(Int32Array.of(2, 0, 2))
    const last = await next(4, 5, 6)
    const scores = await whole(
      of(),
      [
        [0, 3, 4],
        [0, 1, 5],
        [0, 3, 6],
      ],
      [2, 0, 2],
    )
    expectClose(last, scores.subarray(2 * rows * letters))
    await own.restore()
    const again = await next(4, 5, 6)
    const kept = await whole(
      of(),
      [
        [0, 1, 4],
        [0, 2, 5],
        [0, 3, 6],
      ],
      [0, 1, 2],
    )
    expectClose(again, kept.subarray(2 * rows * letters))
    own.dispose()
  })
})

describe('a decoder', () => {
  it('starts from given states, from zeros, and runs what overlaps in order', async () => {
    const { own, start, next } = await opened(model)
    const states = { h: Float32Array.from({ length: rows * units }, (_, i) => Math.sin(i)) }
    await start.run(words)
    const plain = await next(1, 1, 1)
    // Without waiting: a program that is still being compiled holds up what comes behind it.
    const asked = [own.start(states), own.select(Int32Array.of(1, 1, 0)), next(1, 2, 3), own.start(), next(1, 1, 1)]
    const [, , moved, , zeros] = (await Promise.all(asked)) as [unknown, unknown, Float32Array, unknown, Float32Array]
    const reversed = {
      h: new Float32Array([
        ...states.h.subarray(units, 2 * units),
        ...states.h.subarray(units, 2 * units),
        ...states.h.subarray(0, units),
      ]),
    }
    await own.start(reversed)
    expectClose(moved, await next(1, 2, 3))
    expect([...zeros.subarray(0, letters)]).toEqual([...zeros.subarray(letters, 2 * letters)])
    expect(Math.abs(zeros[0]! - plain[0]!)).toBeGreaterThan(1e-3)
    own.dispose()
  })

  it('moves states of any extents', async () => {
    using own = decoder(model, { states: { image: [2, 2, 3], count: [2] } })
    const step = await own.compile(
      ({ by }, { image, count }) => ({
        outputs: { image, count },
        states: { image: ops.add(image, ops.reshape(by, [2, 1, 1])) },
      }),
      { by: [2] },
    )
    await own.start({ count: Float32Array.of(7, 8) })
    await step.run({ by: Float32Array.of(1, 2) })
    await own.select(Int32Array.of(1, 0))
    const { image, count } = await step.run({ by: Float32Array.of(0, 0) })
    expect([...image]).toEqual([2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1])
    expect([...count]).toEqual([8, 7])
  })

  it('has what layers carry for itself: neither another decoder nor an evaluation disturbs it', async () => {
    const counter = nn.recurrent(
      { states: () => ({ h: [2] }), step: ([x], { h }) => ({ h: ops.add(x!, h) }) },
      { carry: true },
    )
    const count = (x: Tensor<'f32'>) => counter(ops.reshape(x, [1, 1, 2]))
    const one = async () => {
      const own = decoder(model)
      const step = await own.compile(({ x }) => ({ outputs: { y: count(x) }, states: {} }), { x: [2] })
      return { own, add: async (x: number) => (await step.run({ x: Float32Array.of(x, x) })).y[0] }
    }
    const [first, second] = [await one(), await one()]
    const evaluated = await model.compile((x: Tensor<'f32'>) => ({ y: count(x) }), { x: { dtype: 'f32', shape: [2] } })
    expect([await first.add(1), await second.add(10), await first.add(1), await second.add(10)]).toEqual([1, 10, 2, 20])
    const run = async () => (await evaluated.run({ x: Float32Array.of(5, 5) })).y[0]
    expect([await run(), await run(), await first.add(0)]).toEqual([5, 10, 2])
    await first.own.save()
    await first.add(5)
    await first.own.restore()
    expect(await first.add(0)).toBe(2)
    await first.own.start()
    expect([await first.add(0), await second.add(0)]).toEqual([0, 20])
    for (const { own } of [first, second]) own.dispose()
    evaluated.dispose()
  })

  it('refuses what does not fit', async () => {
    const { own, next } = await opened(model)
    const given = (states: object) => own.compile(() => ({ outputs: {}, states: states }), {})
    await expect(given({ g: 1 })).rejects.toThrow('decoder: expected the states h, c, got g')
    await expect(given({ h: 1 })).rejects.toThrow('decoder[h]: expected a tensor, got 1')
    await expect(
      own.compile((_, { h }) => ({ outputs: {}, states: { h: ops.concat([h, h], 1) } }), {}),
    ).rejects.toThrow('assign[decoder.h_')
    await expect(own.compile(() => undefined as never, {})).rejects.toThrow()
    expect(() => own.prepare(1 as never, {})).toThrow('decoder[compile][fn]: expected a function, got 1')
    expect(() => decoder({} as never)).toThrow('decoder[of]: expected a session or a model, got {}')
    expect(() => decoder(model, { states: { h: [] } })).toThrow('decoder[states][h]: expected extents [N, ...]')
    expect(() => decoder(model, { states: { h: [2, 0] } })).toThrow('decoder[states][h]: expected extents [N, ...]')
    expect(() => decoder(model, { states: { h: [2, 3], c: [3] } })).toThrow(
      'decoder: expected states of one number of rows, got decoder.h of [2, 3] and decoder.c of [3]',
    )
    expect(() => decoder(model, { state: {} } as never)).toThrow('did you mean states?')
    await expect(own.select(Int32Array.of(0, 1, 3))).rejects.toMatchObject({ code: 'ERR_DATA' })
    await expect(own.select(Int32Array.of(0, 1))).rejects.toThrow('parents')
    await expect(own.start({ g: new Float32Array(1) } as never)).rejects.toThrow('got g')
    await expect(own.start({ h: new Float32Array(1) })).rejects.toThrow('h')
    // What was refused has changed nothing and holds nothing up.
    await own.start()
    expect(await next(1, 1, 1)).toHaveLength(rows * letters)
    own.dispose()
    await expect(next(1, 1, 1)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
  })
})

describe('lengths', () => {
  const lengthsOf = async (...lengths: number[]) => {
    using compiled = await model.compile((x: Tensor<'i32'>, lengths: Tensor<'i32'>) => encode(x, lengths), extents)
    return (await compiled.run({ x: words.x, lengths: Int32Array.from(lengths) })) as { h: Float32Array }
  }

  it('outside 0 to T are refused when the program runs', async () => {
    expect((await lengthsOf(0, 5, 1)).h.subarray(0, units)).toEqual(new Float32Array(units))
    await expect(lengthsOf(3, 6, 1)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('6') as string,
    })
    await expect(lengthsOf(3, -1, 1)).rejects.toMatchObject({ code: 'ERR_DATA' })
  })
})

it('reads a variable of no layer in a step', async () => {
  using own = decoder(trained, { states: { h: [1, letters] } })
  const [table] = embed.parameters
  const step = await own.compile((_, { h }) => ({ outputs: { table: read(table!) }, states: { h } }), {})
  expect((await step.run({})).table).toHaveLength(letters * features)
})
