// Prefix beam search with language models, held to the sums over all paths and to what the model says of whole lines: models of symbols and of
// words, unknown words, weights, and a model that answers later.
import { describe, expect, it } from 'vitest'
import { Alphabet, learnNgrams, type NgramModel } from '../../../lib/data/index.js'
import { parseArpa } from '../../../lib/data/text/arpa.js'
import { type CtcHypothesis, prefixBeamSearch, type PrefixBeamSearchOptions } from '../../../lib/infer/index.js'
import { beamSearchOf, drawnLogits, everyTranscript, logProbabilities } from '../../support/ctc.js'

interface Ranked {
  readonly labels: string
  readonly score: number
}

/** All transcripts by their scores, -Infinity left out, the best first. */
function ranked(alphabet: Alphabet, logits: Float32Array, worth: (text: string) => number): readonly Ranked[] {
  const all = everyTranscript(alphabet, logProbabilities(logits, alphabet.size))
  return [...all]
    .map(([labels, p]) => ({
      labels,
      score: p + worth(alphabet.decode(labels === '' ? [] : labels.split(',').map(Number))),
    }))
    .filter(({ score }) => score > -Infinity)
    .sort((a, b) => b.score - a.score)
}

/** Every transcript of a small case has the score that it should have. */
async function expectAll(
  alphabet: Alphabet,
  frames: number,
  options: PrefixBeamSearchOptions,
  worth: (text: string) => number,
): Promise<void> {
  for (let seed = 1; seed <= 6; seed++) {
    const logits = drawnLogits(seed, frames, alphabet.size)
    const wanted = ranked(alphabet, logits, worth)
    using search = prefixBeamSearch(alphabet, { beam: 3000, best: 3000, ...options })
    const [found] = await search.run(logits)
    expect(found!.length).toBe(wanted.length)
    const scores = new Map(wanted.map(({ labels, score }) => [labels, score]))
    const far = found!.filter(({ labels, score }) => !(Math.abs(score - scores.get(labels.join())!) < 1e-5))
    expect(far).toEqual([])
    const sum = wanted.reduce((total, { score }) => total + Math.exp(score), 0)
    expect(found![0]!.posterior).toBeCloseTo(Math.exp(wanted[0]!.score) / sum, 5)
    expect(found![0]!.score).toBeCloseTo(wanted[0]!.score, 5)
  }
}

const wordsIn = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '')

/** alpha log p + beta for each token, and what those cost that the model lacks. */
function worthOf(
  model: NgramModel,
  alpha: number,
  beta: number,
  unknown: number,
  tokens: (text: string) => readonly string[],
) {
  return (text: string): number => {
    const all = tokens(text)
    const lacking = all.filter((token) => model.numberOf(token) === undefined).length
    const lost = lacking === 0 ? 0 : lacking * unknown
    return (alpha === 0 ? 0 : alpha * model.logProbability(text)) + beta * all.length + lost
  }
}

/** Words of two letters; "abb" begins a word of the model and is none. */
const spaced = new Alphabet({ unit: 'character', symbols: ['<blank>', ' ', 'a', 'b'] })
const bigram = learnNgrams(['a ab', 'ab a', 'a abba', 'b a ab'])

describe('a model of words', () => {
  it.each([
    [0.5, 0, -10],
    [1, 1.5, -2],
    [0.7, -0.5, 0],
    [0, 1, -1],
    [2, 0, -Infinity],
  ])('counts by alpha %f, beta %f, unknown %f', async (alpha, beta, unknown) => {
    const worth = worthOf(bigram, alpha, beta, unknown, wordsIn)
    await expectAll(spaced, 5, { languageModel: bigram, alpha, beta, unknown }, worth)
  })

  it('of three words behind each other counts all of the history', async () => {
    const trigram = learnNgrams(['a b a b', 'b b a', 'a b b', 'b a'], { order: 3 })
    const worth = worthOf(trigram, 1, 0, -5, wordsIn)
    await expectAll(spaced, 6, { languageModel: trigram, alpha: 1, unknown: -5 }, worth)
  })

  it('makes a word of what sounds like none', async () => {
    const alphabet = Alphabet.of(['six two'], 'character')
    const model = learnNgrams(['six', 'two six', 'six two'])
    const path = Array.from('-s-e-x- -two-', (symbol) => (symbol === '-' ? 0 : (alphabet.numberOf(symbol) ?? -1)))
    const i = alphabet.numberOf('i')!
    const t = alphabet.numberOf('t')!
    // Where an e should be, t is a little likelier than i.
    const logits = Float32Array.from(
      path.flatMap((symbol) => {
        return alphabet.symbols.map((_, k) =>
          symbol === -1 ? (k === t ? 3.2 : k === i ? 3 : 0) : k === symbol ? 6 : 0,
        )
      }),
    )
    const text = async (options: PrefixBeamSearchOptions): Promise<string> => {
      const [[best]] = (await prefixBeamSearch(alphabet, options).run(logits)) as [[CtcHypothesis]]
      return best.text
    }
    expect(await text({})).toBe('stx two')
    expect(await text({ languageModel: model })).toBe('six two')
    expect(await text({ languageModel: model, unknown: 0, alpha: 0 })).toBe('stx two')
  })

  it('that allows no other words may leave nothing', async () => {
    const alphabet = new Alphabet({ unit: 'character', symbols: ['<blank>', ' ', 'a', 'b'] })
    const logits = Float32Array.from([0, -20, 20, 0])
    const search = prefixBeamSearch(alphabet, { languageModel: learnNgrams(['ab']), unknown: -Infinity, beam: 1 })
    expect(await search.run(logits)).toEqual([[]])
    const some = await prefixBeamSearch(alphabet, { languageModel: learnNgrams(['a']), unknown: -Infinity }).run(logits)
    expect(some[0]![0]!.text).toBe('a')
  })
})

describe('a model of symbols', () => {
  const letters = new Alphabet({ unit: 'character', symbols: ['<blank>', 'a', 'b', 'c'] })
  const tokens = (text: string): readonly string[] => Array.from(text)

  it.each([
    [0.5, 0, -10],
    [1, 0.8, -1],
    [0.6, -0.4, -Infinity],
  ])('of characters, one of them unknown, counts by alpha %f, beta %f, unknown %f', async (alpha, beta, unknown) => {
    const model = learnNgrams(['ab', 'abab', 'b'], { unit: 'character', order: 3 })
    const worth = worthOf(model, alpha, beta, unknown, tokens)
    await expectAll(letters, 5, { languageModel: model, alpha, beta, unknown }, worth)
  })

  it('may find a symbol impossible, which counts where the model does', async () => {
    const text = '\\data\\\nngram 1=5\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.3 a\n-99 b\n-0.7 c\n\\end\\\n'
    const model = parseArpa(text, 'character')
    await expectAll(letters, 4, { languageModel: model }, worthOf(model, 0.5, 0, -10, tokens))
    await expectAll(letters, 4, { languageModel: model, alpha: 0, beta: 0.2 }, worthOf(model, 0, 0.2, -10, tokens))
  })

  it('may be of words, each of them a symbol', async () => {
    const digits = Alphabet.of(['one two oh'], 'word')
    const model = learnNgrams(['one two', 'two two one'])
    await expectAll(
      digits,
      5,
      { languageModel: model, alpha: 0.9, beta: 0.5, unknown: -3 },
      worthOf(model, 0.9, 0.5, -3, wordsIn),
    )
  })
})

describe('a small beam', () => {
  const letters = new Alphabet({ unit: 'character', symbols: ['<blank>', 'a', 'b', 'c', 'd'] })
  const model = learnNgrams(['abcd', 'bad', 'dab', 'cab', 'acdc'], { unit: 'character', order: 3 })

  it.each([
    [3, 1, 0],
    [3, 1, 3],
    [10, 0.7, -1],
    [10, 2, 5],
  ])('of %i keeps what one keeps that tries everything, by alpha %f and beta %f', async (beam, alpha, beta) => {
    const histories = model.open()
    const token = (label: number): number => model.numberOf(letters.symbols[label]!)!
    const behind = (labels: readonly number[], next: number): number => {
      const history = Int32Array.of(histories.start() as number)
      for (const label of labels) void histories.extend(1, history, Int32Array.of(token(label)))
      return alpha * histories.score(history[0]!, next)
    }
    for (let seed = 1; seed <= 8; seed++) {
      const logits = drawnLogits(300 + seed, 12, letters.size)
      const frames = logProbabilities(logits, letters.size)
      const left = beamSearchOf(frames, beam, (labels, label) => behind(labels, token(label)) + beta)
      // The end of the line has a say only when all is over.
      const wanted = new Map(
        left.map(([labels, score]) => [labels, score + behind(labels.split(',').map(Number), model.end)]),
      )
      const search = prefixBeamSearch(letters, { beam, best: beam, languageModel: model, alpha, beta })
      const found = (await search.run(logits))[0]!
      expect(found.map(({ labels }) => labels.join()).sort()).toEqual([...wanted.keys()].sort())
      for (const { labels, score } of found) expect(score).toBeCloseTo(wanted.get(labels.join())!, 5)
    }
  })
})

describe('a model of other tokens', () => {
  it.each([
    [
      Alphabet.of(['one two'], 'word'),
      learnNgrams(['one'], { unit: 'character' }),
      'a model of words for an alphabet of words, got one of characters',
    ],
    [
      Alphabet.of(['abc'], 'character'),
      bigram,
      'a model of characters for an alphabet without a space, got one of words',
    ],
  ])('is refused %#', async (alphabet, languageModel, message) => {
    const search = prefixBeamSearch(alphabet, { languageModel })
    await expect(search.run(new Float32Array(alphabet.size))).rejects.toThrow(`[languageModel]: expected ${message}`)
  })
})
