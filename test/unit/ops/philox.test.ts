// The reference generator against the known answers that its authors publish (Random123, kat_vectors).
import { expect, test } from 'vitest'
import { philox, words } from '../../support/philox.js'

const hex = (text: string) => text.split(' ').map((word) => BigInt(`0x${word}`))

test.each([
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
])('counter %s, key %s', (counter, key, expected) => {
  expect(philox(hex(counter), hex(key))).toEqual(hex(expected))
})

test('block, stream and step have a word each, and negative integers are their bits', () => {
  const counter = [5n, 1n, 7n, 0xfffffffen]
  expect(words(2 ** 32 + 5, 7, -2, [-1, 3])).toEqual(philox(counter, [0xffffffffn, 3n]).map(Number))
})
