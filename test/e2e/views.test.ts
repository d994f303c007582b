// Measures of a trained network against sums over its own predictions: several views of an example, the five largest outputs.
import { describe, expect, it } from 'vitest'
import { arrays, type Dataset, type Fields } from '../../lib/data/index.js'
import * as nn from '../../lib/nn/index.js'
import { measures as known } from '../../lib/train/index.js'
import { images, side, using } from './tasks.js'

const classes = 9

/** The images again as three views of each example: as they are, upside down, darker. */
function threeViews(
  set: Dataset<Fields<'x' | 'target'>>,
  x: Uint8Array,
  target: Int32Array,
): Dataset<Fields<'x' | 'target'>> {
  const pixels = side * side
  const all = new Uint8Array(3 * x.length)
  for (let i = 0; i < set.length; i++) {
    const image = x.subarray(i * pixels, (i + 1) * pixels)
    all.set(image, 3 * i * pixels)
    all.set(image.toReversed(), (3 * i + 1) * pixels)
    all.set(
      image.map((value) => value >> 1),
      (3 * i + 2) * pixels,
    )
  }
  return { ...arrays({ x: { data: all, shape: [3, 1, side, side] }, target }), views: 3 }
}

const softmax = (logits: readonly number[]): number[] => {
  const most = Math.max(...logits)
  const powers = logits.map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((value) => value / sum)
}

/** Loss, accuracy and top 5 of probabilities. */
function measures(rows: readonly (readonly number[])[], target: Int32Array) {
  const share = (good: (row: readonly number[], label: number) => boolean) =>
    rows.filter((row, i) => good(row, target[i]!)).length / rows.length
  return {
    loss: rows.reduce((sum, row, i) => sum - Math.log(row[target[i]!]!), 0) / rows.length,
    accuracy: share((row, label) => row[label] === Math.max(...row)),
    top5: share((row, label) => row.filter((value) => value > row[label]!).length < 5),
  }
}

describe('evaluate', () => {
  const net = () => nn.sequential(nn.flatten(), nn.linear(side * side, 16), nn.tanh(), nn.linear(16, classes))
  const set = images(70, 5)
  const x = new Uint8Array(70 * side * side)
  const target = new Int32Array(70)
  void set.gather(
    Array.from({ length: 70 }, (_, i) => i),
    { x, target },
  )

  it('finds the label among the five largest outputs, and averages probabilities over views', async () => {
    await using(
      net(),
      { data: { train: set }, measures: { accuracy: known.accuracy, top5: known.top5 } },
      async (run) => {
        const logits = async (values: Uint8Array): Promise<number[][]> => {
          const out = await run.predict(values)
          return Array.from(
            { length: out.length / classes },
            (_, i) => [...out.subarray(i * classes, (i + 1) * classes)] as number[],
          )
        }
        const plain = measures((await logits(x)).map(softmax), target)
        const found = await run.evaluate(set)
        expect(found.loss).toBeCloseTo(plain.loss, 5)
        expect([found['accuracy'], found['top5']]).toEqual([
          expect.closeTo(plain.accuracy, 6),
          expect.closeTo(plain.top5, 6),
        ])
        expect(plain.top5).toBeGreaterThan(plain.accuracy)
        expect(plain.top5).toBeLessThan(1)

        const views = threeViews(set, x, target)
        const all = new Uint8Array(3 * x.length)
        await views.gather(
          Array.from({ length: 70 }, (_, i) => i),
          { x: all, target: new Int32Array(70) },
        )
        const each = (await logits(all)).map(softmax)
        const mean = Array.from({ length: 70 }, (_, i) =>
          each[3 * i]!.map((_value, k) => (each[3 * i]![k]! + each[3 * i + 1]![k]! + each[3 * i + 2]![k]!) / 3),
        )
        const averaged = measures(mean, target)
        const got = await run.evaluate(views)
        expect(got.loss).toBeCloseTo(averaged.loss, 5)
        expect([got['accuracy'], got['top5']]).toEqual([
          expect.closeTo(averaged.accuracy, 6),
          expect.closeTo(averaged.top5, 6),
        ])
        expect(averaged.loss).not.toBeCloseTo(plain.loss, 3)
      },
    )
  })

  it('says nothing of five where it was not asked, and takes nothing else for a measure', async () => {
    await using(net(), { data: { train: set } }, async (run) => {
      expect(Object.keys(await run.evaluate(set))).toEqual(['loss', 'accuracy'])
    })
    const wrong = using(net(), { data: { train: set }, measures: { top5: 'top5' as never } }, () => Promise.resolve())
    await expect(wrong).rejects.toThrow(/session\[measures\]: expected measures by name.*, got an object with top5/)
  })

  it('refuses to train on several views', async () => {
    const views = threeViews(set, x, target)
    await expect(using(net(), { data: views }, () => Promise.resolve())).rejects.toThrow(
      /session\[data\]: expected one view of each training example, got 3/,
    )
  })
})
