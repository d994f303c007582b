// Coverage: the share of the surest examples that is right so often.
import { describe, expect, it } from 'vitest'
import { feed, trace } from '../../../lib/graph/index.js'
import { coverageOf } from '../../../lib/train/coverage.js'
import { measures } from '../../../lib/train/index.js'

describe('coverageOf', () => {
  it('takes the most of the surest examples that are right so often', () => {
    const sure = [0.5, 0.9, 0.7, 0.8, 0.6]
    const right = [1, 1, 0, 1, 1]
    expect(coverageOf(sure, right, 1)).toEqual({ coverage: 0.4, threshold: 0.8 })
    // 3 of 4 and 4 of 5 are enough, 2 of 3 are not.
    expect(coverageOf(sure, right, 0.75)).toEqual({ coverage: 1, threshold: 0.5 })
    expect(coverageOf(sure, right, 0.81)).toEqual({ coverage: 0.4, threshold: 0.8 })
  })

  it('takes examples of one confidence together, whatever their order', () => {
    expect(coverageOf([0.9, 0.9, 0.5], [1, 0, 0], 1)).toEqual({ coverage: 0, threshold: 1 })
    expect(coverageOf([0.9, 0.9, 0.5], [0, 1, 0], 0.5)).toEqual({ coverage: 2 / 3, threshold: 0.9 })
  })

  it('is all where all are right, and nothing of nothing', () => {
    expect(coverageOf([0.2, 0.3], [1, 1], 0.98)).toEqual({ coverage: 1, threshold: 0.2 })
    expect(coverageOf([0.2, 0.3], [0, 0], 0.98)).toEqual({ coverage: 0, threshold: 1 })
    expect(coverageOf([], [], 0.98)).toEqual({ coverage: 0, threshold: 1 })
  })
})

describe('measures.coverage', () => {
  it('adds batches up before it is told', () => {
    trace({ name: 'measures' }, () => {
      const [confidence, right] = [feed('confidence', 'f32', [2]), feed('right', 'f32', [2])]
      for (const [make, wanted] of [
        [measures.coverage, 0.5],
        [measures.coverageThreshold, 0.8],
      ] as const) {
        const tally = make({ confidence, right, accuracy: 1 }).tally()
        tally.add({ confidence: Float32Array.of(0.9, 0.25), right: Float32Array.of(1, 1) })
        tally.add({ confidence: Float32Array.of(0.8, 0.5), right: Float32Array.of(1, 0) })
        expect(tally.value()).toBeCloseTo(wanted, 6)
      }
      expect(measures.coverage({ confidence, right }).title).toBe('coverage at 98 %')
      return { confidence, right }
    })
  })

  it('refuses an accuracy of 0 and examples that do not agree', () => {
    trace({ name: 'refused' }, () => {
      const [confidence, right] = [feed('confidence', 'f32', [2]), feed('right', 'f32', [3])]
      expect(() => measures.coverage({ confidence, right })).toThrow(
        'measures.coverage: expected confidence and right of f32[N], got f32[2] and f32[3]',
      )
      expect(() => measures.coverage({ confidence, right: confidence, accuracy: 0 })).toThrow('accuracy')
      return { confidence, right }
    })
  })
})
