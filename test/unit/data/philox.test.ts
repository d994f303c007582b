// The generator against the known-answer vectors that Random123 publishes, and the properties shuffling needs.
import { describe, expect, it } from 'vitest'
import { philox4x32, PhiloxStream } from '../../../lib/data/philox.js'

type Words = [number, number, number, number]
const hex = (words: Uint32Array): string[] => [...words].map((word) => word.toString(16).padStart(8, '0'))

describe('philox4x32', () => {
  const vectors: { counter: Words; key: [number, number]; answer: string }[] = [
    { counter: [0, 0, 0, 0], key: [0, 0], answer: '6627e8d5 e169c58d bc57ac4c 9b00dbd8' },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      answer: '408f276d 41c83b0e a20bc7c6 6d5451fd',
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      answer: 'd16cfe09 94fdcceb 5001e420 24126ea1',
    },
  ]
  it.each(vectors)('gives $answer', ({ counter, key, answer }) => {
    expect(hex(philox4x32(counter, key, new Uint32Array(4))).join(' ')).toBe(answer)
  })
})

describe('PhiloxStream', () => {
  it('is the blocks of its counter, word by word', () => {
    const stream = new PhiloxStream(2 ** 32 + 7, 3, 9)
    const words = Uint32Array.from({ length: 8 }, () => stream.next())
    expect(words.subarray(0, 4)).toEqual(philox4x32([0, 3, 0, 9], [7, 1], new Uint32Array(4)))
    expect(words.subarray(4)).toEqual(philox4x32([1, 3, 0, 9], [7, 1], new Uint32Array(4)))
  })

  it('draws below a bound evenly, redrawing what would make some values likelier', () => {
    const stream = new PhiloxStream(1, 0, 0)
    // With this bound a plain remainder would give the lower half twice as often as the upper half.
    const bound = 3 * 2 ** 30
    let low = 0
    for (let i = 0; i < 20_000; i++) if (stream.below(bound) < 2 ** 30) low++
    expect(low / 20_000).toBeGreaterThan(0.32)
    expect(low / 20_000).toBeLessThan(0.35)
  })
})
