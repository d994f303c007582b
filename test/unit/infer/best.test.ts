// The best of many candidates, held to sorting them.
import { describe, expect, it } from 'vitest'
import { Best } from '../../../lib/infer/ctc/best.js'
import { generator } from '../../support/random.js'

describe('the best of many', () => {
  it('are those with the largest scores, in order', () => {
    const random = generator(4)
    for (const most of [1, 2, 7, 50]) {
      for (const count of [0, 1, 6, 200]) {
        const scores = Float64Array.from({ length: count }, random)
        const best = new Best(most)
        for (const [number, score] of scores.entries()) best.offer(score, number)
        const [numbers, found] = [new Int32Array(most), new Float64Array(most)]
        const left = best.drain(numbers, found)
        const wanted = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, most)
        expect([...numbers.subarray(0, left)]).toEqual(wanted)
        expect([...found.subarray(0, left)]).toEqual(wanted.map((number) => scores[number]))
        expect([best.size, best.floor]).toEqual([0, -Infinity])
      }
    }
  })
})
