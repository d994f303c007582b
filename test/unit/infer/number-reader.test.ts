// Numbers of logits: the likeliest one and the next are those of a search through all 111,112 numbers.
import { describe, expect, it } from 'vitest'
import { decodeNumbers, readNumbers } from '../../../lib/infer/index.js'
import { pattern } from '../../support/pattern.js'

/** log softmax. */
function logShares(logits: Float32Array): number[] {
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0)
  return Array.from(logits, (logit) => logit - Math.log(sum))
}

/** All numbers of up to five digits, and those of more as one, the likeliest first; only the two best are kept. */
function searched(row: Float32Array): readonly (readonly [string | undefined, number])[] {
  const lengths = logShares(row.subarray(0, 7))
  const digits = Array.from({ length: 5 }, (_, i) => logShares(row.subarray(7 + 10 * i, 17 + 10 * i)))
  let best: (readonly [string | undefined, number])[] = [[undefined, lengths[6]!]]
  const visit = (number: string, score: number): void => {
    const own = [number, score + lengths[number.length]!] as const
    best = [...best, own].sort((a, b) => b[1] - a[1]).slice(0, 2)
    if (number.length === 5) return
    for (let value = 0; value < 10; value++) visit(`${number}${value}`, score + digits[number.length]![value]!)
  }
  visit('', 0)
  return best
}

describe('decodeNumbers', () => {
  it('finds the likeliest number and the next, as a search through all does', { timeout: 60_000 }, () => {
    const [rows, seen, kinds] = [12, new Set<number>(), new Set<string>()]
    for (let i = 0; i < rows; i++) {
      // From flat to peaked; some lengths are likelier than others, so that all of them come first somewhere.
      const row = pattern(new Float32Array(57), 10 + i, 3 + 2 * i)
      row[i % 7]! += i < 7 ? 12 : 0
      const [reading] = decodeNumbers(row)
      const [first, second] = searched(row)
      expect([reading!.number, reading!.runnerUp.number]).toEqual([first![0], second![0]])
      expect(reading!.confidence).toBeCloseTo(Math.exp(first![1]), 9)
      expect(reading!.runnerUp.confidence).toBeCloseTo(Math.exp(second![1]), 9)
      seen.add(reading!.length)
      kinds.add(reading!.length === reading!.runnerUp.length ? 'another digit' : 'another length')
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(kinds.size).toBe(2)
  })

  it('reads no number of more than five digits', () => {
    const row = new Float32Array(57)
    row[6] = 20
    expect(decodeNumbers(row)[0]).toMatchObject({ number: undefined, length: 6 })
    row[6] = 0
    row[0] = 20
    expect(decodeNumbers(row)[0]).toMatchObject({ number: '', length: 0 })
  })

  it('refuses what is no rows of logits', () => {
    expect(() => decodeNumbers(new Float32Array(58))).toThrow('decodeNumbers: expected rows of 57 logits, got 58')
  })
})

describe('readNumbers', () => {
  it('asks a model for all images at once', async () => {
    const logits = pattern(new Float32Array(3 * 57), 2, 8)
    const asked: number[] = []
    const model = {
      predict: (x: ArrayLike<number>) => {
        asked.push(x.length)
        return Promise.resolve(logits)
      },
    }
    expect(await readNumbers(model, new Uint8Array(30))).toEqual(decodeNumbers(logits))
    expect(asked).toEqual([30])
    await expect(readNumbers({} as never, new Uint8Array(30))).rejects.toThrow('readNumbers')
  })
})
