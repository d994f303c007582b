// What the cases of ctc cannot say: what each backend refuses and in which words, what it does not read, and what it makes of logits that are
// no numbers.
import { describe, expect, test } from 'vitest'
import { emit, feed, type Graph, trace } from '../../lib/graph/index.js'
import { registry } from '../../lib/ops/registry.js'
import { ctcOutputs } from '../support/ctc-loss.js'
import { backends, runNative } from '../support/native.js'
import { ndarray, type NDArray } from '../support/ndarray.js'
import { generator, uniform } from '../support/random.js'

const [T, N, K, L] = [6, 3, 4, 3]
const logits = ndarray([T, N, K], uniform()([T, N, K], generator(5)))

interface Rows {
  readonly labels: readonly number[]
  readonly labelLengths: readonly number[]
  readonly frameLengths: readonly number[]
}

const good: Rows = { labels: [1, 2, 3, 2, 2, 1, 3, 0, 0], labelLengths: [3, 3, 1], frameLengths: [6, 5, 3] }

const arrays = (x: NDArray, { labels, labelLengths, frameLengths }: Rows): NDArray[] => [
  x,
  ndarray([N, L], labels),
  ndarray([N], labelLengths),
  ndarray([N], frameLengths),
]

/** Fetches the loss, and the gradient where it is wanted. */
function graphOf(impossible: string, wanted: 1 | 2 = 2): Graph {
  return trace({ name: 'ctc' }, () => {
    const inputs = [
      feed('logits', 'f32', [T, N, K]),
      feed('labels', 'i32', [N, L]),
      feed('labelLengths', 'i32', [N]),
      feed('frameLengths', 'i32', [N]),
    ]
    const outputs = emit(registry.get('ctc')!, inputs, { blank: 0, impossible })
    return Object.fromEntries(outputs.slice(0, wanted).map((tensor, i) => [`out${i}`, tensor]))
  })
}

const changed = (values: readonly number[], at: number, to: number) => values.with(at, to)

const bad: Readonly<Record<string, readonly [Rows, string]>> = {
  'more labels than there is room for': [
    { ...good, labelLengths: [3, 4, 1] },
    'ctc[]: expected label lengths 0..3, got 4 at row 1',
  ],
  'a negative number of labels': [
    { ...good, labelLengths: [3, 3, -1] },
    'ctc[]: expected label lengths 0..3, got -1 at row 2',
  ],
  'more frames than there are': [
    { ...good, frameLengths: [7, 5, 3] },
    'ctc[]: expected frame lengths 0..6, got 7 at row 0',
  ],
  'a label that is no class': [
    { ...good, labels: changed(good.labels, 5, 4) },
    'ctc[]: expected labels 0..3 other than the blank, got 4 at row 1',
  ],
  'a negative label': [
    { ...good, labels: changed(good.labels, 6, -1) },
    'ctc[]: expected labels 0..3 other than the blank, got -1 at row 2',
  ],
  'a blank among the labels': [
    { ...good, labels: changed(good.labels, 1, 0) },
    'ctc[]: expected labels 0..3 other than the blank, got 0 at row 0',
  ],
  'labels that need a frame more for a repeat': [
    { ...good, frameLengths: [6, 3, 3] },
    'ctc[]: expected at least 4 frames for the labels of row 1, got 3',
  ],
  'labels without a frame': [
    { ...good, frameLengths: [6, 5, 0] },
    'ctc[]: expected at least 1 frames for the labels of row 2, got 0',
  ],
}

/** Numbers of elements that are not the same bits. */
const differences = (a: NDArray, b: NDArray) => a.data.filter((x, i) => !Object.is(x, b.data[i])).length

describe.each(backends().map((one) => ({ ...one, title: `parity, ${one.name}` })))(
  '$title',
  ({ name: backend, reason }) => {
    const run = (x: NDArray, rows: Rows, impossible = 'error', wanted: 1 | 2 = 2) =>
      runNative(graphOf(impossible, wanted), arrays(x, rows), backend)

    test.skipIf(reason !== undefined).each(Object.entries(bad))('%s is named', async (_what, [rows, message]) => {
      for (const wanted of [1, 2] as const) {
        await expect(run(logits, rows, 'error', wanted)).rejects.toMatchObject({
          code: 'ERR_DATA',
          message: expect.stringContaining(message) as string,
        })
      }
    })

    test.skipIf(reason !== undefined)('only rows that do not fit are infinite, without a gradient', async () => {
      const [wantedLoss, wantedSlope] = ctcOutputs(arrays(logits, good), 0)
      const [loss, slope] = await run(logits, { ...good, frameLengths: [6, 3, 3] }, 'infinity')
      expect([...loss!.data]).toEqual([
        expect.closeTo(wantedLoss.data[0]!, 5),
        Infinity,
        expect.closeTo(wantedLoss.data[2]!, 5),
      ])
      slope!.data.forEach((value, i) => {
        const isImpossible = Math.floor(i / K) % N === 1
        expect(value).toBeCloseTo(isImpossible ? 0 : wantedSlope.data[i]!, 5)
        if (isImpossible) expect(Object.is(value, 0)).toBe(true)
      })
    })

    test.skipIf(reason !== undefined)('what lies behind labels and frames is not read', async () => {
      const rows = { ...good, labelLengths: [2, 3, 1] }
      const [loss, slope] = await run(logits, rows)
      const spoilt = ndarray(logits.shape, logits.data)
      good.frameLengths.forEach((frames, n) => {
        for (let t = frames; t < T; t++)
          for (let k = 0; k < K; k++) spoilt.data[(t * N + n) * K + k] = [NaN, 1e30][k % 2]!
      })
      const labels = changed(changed(changed(good.labels, 2, -5), 7, 1 << 30), 8, 3)
      const [sameLoss, sameSlope] = await run(spoilt, { ...rows, labels })
      expect(differences(loss!, sameLoss!)).toBe(0)
      expect(differences(slope!, sameSlope!)).toBe(0)
      expect(sameSlope!.data.filter((x, i) => Math.floor(i / (N * K)) >= 5 && x !== 0).length).toBe(K)
    })

    test.skipIf(reason !== undefined)('a class without any probability, and a logit that is no number', async () => {
      const x = ndarray(logits.shape, logits.data)
      for (let t = 0; t < T; t++) {
        x.data[t * N * K + 2] = -Infinity // class 2, which is among the labels of row 0
        x.data[(t * N + 2) * K + 1] = -Infinity // class 1, which is not among those of row 2
      }
      x.data[(2 * N + 1) * K + 3] = NaN
      const [loss, slope] = await run(x, good)
      const [wantedLoss, wantedSlope] = ctcOutputs(arrays(x, good), 0)
      expect([...loss!.data]).toEqual([Infinity, NaN, expect.closeTo(wantedLoss.data[2]!, 5)])
      const of = (row: number) => slope!.data.map((value, i) => (Math.floor(i / K) % N === row ? value : 0))
      expect(of(0).every((value) => value === 0)).toBe(true)
      expect(of(1).some(Number.isNaN)).toBe(true)
      of(2).forEach((value, i) => {
        if (Math.floor(i / K) % N === 2) expect(value).toBeCloseTo(wantedSlope.data[i]!, 5)
      })
    })

    test.skipIf(reason !== undefined)('the same bits with and without the gradient, and again', async () => {
      const [[loss, slope], [again, slopeAgain], [alone]] = [
        await run(logits, good),
        await run(logits, good),
        await run(logits, good, 'error', 1),
      ]
      expect(differences(loss!, again!) + differences(slope!, slopeAgain!) + differences(loss!, alone!)).toBe(0)
    })
  },
)
