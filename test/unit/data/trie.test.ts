// The tree of sequences, held to a map of texts.
import { describe, expect, it } from 'vitest'
import { Trie } from '../../../lib/data/trie.js'
import { generator } from '../../support/random.js'

describe('a tree of sequences', () => {
  it('is a map from sequences to nodes, however many there are', () => {
    const random = generator(3)
    const trie = new Trie()
    const known = new Map<string, number>([['', 0]])
    for (let i = 0; i < 3000; i++) {
      const symbols = Array.from({ length: Math.floor(6 * random()) }, () => Math.floor(9 * random()))
      let node = 0
      for (const [n, symbol] of symbols.entries()) {
        const text = symbols.slice(0, n + 1).join()
        const before = trie.child(node, symbol)
        expect(before).toBe(known.get(text) ?? -1)
        const parent = node
        node = trie.grow(node, symbol)
        known.set(text, node)
        expect([trie.parentOf(node), trie.symbolOf(node)]).toEqual([parent, symbol])
      }
      expect(trie.sequence(node).join()).toBe(symbols.join())
    }
    expect(trie.size).toBe(known.size)
    expect(new Set(known.values()).size).toBe(known.size)
    expect(known.size).toBeGreaterThan(1000)
  })

  it('has an empty sequence that is nothing longer', () => {
    const trie = new Trie()
    expect([trie.size, trie.parentOf(0), trie.symbolOf(0), trie.child(0, 0)]).toEqual([1, -1, -1, -1])
    expect([...trie.sequence(0)]).toEqual([])
  })
})
