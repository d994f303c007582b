// Prefix beam search with a language model that answers later, as one on a device does, held to one that answers at once.
import { describe, expect, it } from 'vitest'
import { Alphabet, type Histories, type LanguageModel, learnNgrams, type NgramModel } from '../../../lib/data/index.js'
import { prefixBeamSearch } from '../../../lib/infer/index.js'
import { drawnLogits } from '../../support/ctc.js'

const spaced = new Alphabet({ unit: 'character', symbols: ['<blank>', ' ', 'a', 'b'] })
const bigram = learnNgrams(['a ab', 'ab a', 'a abba', 'b a ab'])

/** Asks another model later, from a table of as many places as a search may need; what is no longer needed is overwritten. */
function later(model: NgramModel): LanguageModel {
  return {
    ...{ unit: model.unit, tokens: model.tokens, end: model.end, unknown: model.unknown },
    numberOf: (token) => model.numberOf(token),
    open(most): Promise<Histories> {
      const own = model.open()
      const table = new Int32Array(2 * most)
      const free = new Set(table.keys())
      const place = (history: number): number => {
        const [first] = free
        if (first === undefined) throw new Error('more histories than a search may need')
        free.delete(first)
        table[first] = history
        return first
      }
      const turn = (): Promise<void> => new Promise((done) => void setImmediate(done))
      return Promise.resolve({
        async start() {
          await turn()
          for (const at of table.keys()) free.add(at)
          return place(own.start() as number)
        },
        score(history, token) {
          if (free.has(history)) throw new Error('a history that was given up')
          return own.score(table[history]!, token)
        },
        async extend(count, histories, tokens) {
          const longer = Int32Array.from(histories.subarray(0, count), (at) => table[at]!)
          await turn()
          void own.extend(count, longer, tokens)
          histories.set(Array.from(longer, place))
        },
        keep(count, histories) {
          for (const at of table.keys()) free.add(at)
          for (const at of histories.subarray(0, count)) free.delete(at)
        },
      })
    },
  }
}

describe('a model that answers later', () => {
  it.each([2, 5, 40])('gives what one that answers at once does, with a beam of %i', async (beam) => {
    const character = learnNgrams(['ab a', 'b abab', 'a b'], { unit: 'character', order: 3 })
    for (const model of [bigram, character]) {
      for (let seed = 1; seed <= 5; seed++) {
        const logits = drawnLogits(seed, 20, spaced.size, 2)
        const lengths = Int32Array.of(20, 13)
        const options = { beam, best: beam, alpha: 1, unknown: -3 }
        const atOnce = prefixBeamSearch(spaced, { ...options, languageModel: model })
        using slowly = prefixBeamSearch(spaced, { ...options, languageModel: later(model) })
        const wanted = await atOnce.run(logits, { lengths })
        // Two runs at once take their turns.
        for (const found of await Promise.all([slowly.run(logits, { lengths }), slowly.run(logits, { lengths })])) {
          expect(found.map((some) => some.length)).toEqual(wanted.map((some) => some.length))
          for (const [row, some] of found.entries()) {
            const same = some.every(
              ({ text, score }, i) => text === wanted[row]![i]!.text && score === wanted[row]![i]!.score,
            )
            expect(same).toBe(true)
          }
        }
      }
    }
  })

  it('is closed behind what runs, and opened anew', async () => {
    const calls: string[] = []
    const model: LanguageModel = {
      ...later(bigram),
      async open(most) {
        calls.push('open')
        const histories = await later(bigram).open(most)
        let isOpen = true
        return {
          ...histories,
          extend(...some) {
            if (!isOpen) throw new Error('histories that were disposed of')
            return histories.extend(...some)
          },
          dispose() {
            isOpen = false
            calls.push('dispose')
          },
        }
      },
    }
    const search = prefixBeamSearch(spaced, { languageModel: model, beam: 3 })
    const logits = drawnLogits(1, 6, spaced.size)
    const running = search.run(logits)
    search.dispose()
    const again = search.run(logits)
    expect(await running).toEqual(await again)
    expect(calls).toEqual(['open', 'dispose', 'open'])
  })

  it('that fails does so once', async () => {
    let fails = true
    const model: LanguageModel = {
      ...later(bigram),
      open: () => (fails ? Promise.reject(new Error('lost')) : bigram.open()),
    }
    const search = prefixBeamSearch(spaced, { languageModel: model })
    await expect(search.run(drawnLogits(1, 3, 4))).rejects.toThrow('lost')
    fails = false
    expect(await search.run(drawnLogits(1, 3, 4))).toHaveLength(1)
  })
})
