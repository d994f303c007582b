// Networks as the language models of a search, held to the same network in float64 behind whole lines.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Alphabet, type Text, Vocabulary } from '../../lib/data/index.js'
import { networkLanguageModel, prefixBeamSearch } from '../../lib/infer/index.js'
import { lstmLm } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import { type Session, session } from '../../lib/train/index.js'
import { drawnLogits, everyTranscript, logProbabilities } from '../support/ctc.js'
import { Reference } from '../support/language.js'

const alphabet = new Alphabet({ unit: 'character', symbols: ['<blank>', ' ', 'a', 'b'] })

/** log p of tokens and the end of a line behind the end of another. */
function logProbability(
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  tokens: readonly number[],
  end: number,
): number {
  const network = new Reference(parameters)
  return [...tokens, end].reduce(({ sum, last }, token) => ({ sum: sum + network.next(last)[token]!, last: token }), {
    sum: 0,
    last: end,
  }).sum
}

describe.each([
  ['characters', new Vocabulary({ unit: 'character', tokens: ['a', '\n', 'b', ' '] })],
  ['words', new Vocabulary({ unit: 'word', tokens: ['<unk>', 'ab', 'a', '<eos>', 'bb'] })],
] as const)('a network of %s', (unit, vocabulary) => {
  const net = lstmLm({ vocabulary: vocabulary.size, units: 6, layers: 2, dropout: 0.3, init: 0.9 })
  const end = vocabulary.numberOf(unit === 'words' ? '<eos>' : '\n')!
  let run: Session
  let parameters: Readonly<Record<string, ArrayLike<number>>> = {}
  beforeAll(async () => {
    const data: Text = { tokens: Int32Array.from({ length: 60 }, (_, i) => (i * i) % vocabulary.size), vocabulary }
    run = await session(net, {
      data,
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ rate: 0.1 }),
      ...{ batch: 2, window: 5, epochs: 1, device: 'cpu', precision: 'f32', seed: 3 },
    })
    parameters = await run.parameters()
  })
  afterAll(() => run.dispose())

  const tokensOf = (text: string): readonly number[] => {
    if (unit === 'characters') return Array.from(text, (character) => vocabulary.numberOf(character)!)
    return text.split(' ').flatMap((word) => (word === '' ? [] : [vocabulary.numberOf(word) ?? 0]))
  }

  it.each([1, 3, 32])('adds to each transcript what the network says of it, %i rows at a time', async (rows) => {
    const languageModel = networkLanguageModel(run, net, vocabulary, { rows })
    for (const seed of [1, 2]) {
      const logits = drawnLogits(seed, 4, alphabet.size)
      using search = prefixBeamSearch(alphabet, {
        beam: 200,
        best: 200,
        languageModel,
        alpha: 0.8,
        beta: 0.3,
        unknown: -1,
      })
      const [found] = await search.run(logits)
      const all = everyTranscript(alphabet, logProbabilities(logits, alphabet.size))
      expect(found!.length).toBe(all.size)
      for (const { labels, score } of found!) {
        const symbols = Array.from(labels, (label) => alphabet.symbols[label]!).join('')
        const tokens = tokensOf(symbols)
        const unknown = unit === 'words' ? tokens.filter((token) => token === 0).length : 0
        const worth = 0.8 * logProbability(parameters, tokens, end) + 0.3 * tokens.length - unknown
        // The network works in f32.
        expect(score).toBeCloseTo(all.get(labels.join())! + worth, 4)
      }
    }
  })

  it('has the same transcripts in a small beam as where nothing has to be forgotten', async () => {
    const languageModel = networkLanguageModel(run, net, vocabulary, { rows: 4 })
    const logits = drawnLogits(5, 25, alphabet.size, 2)
    const lengths = Int32Array.of(25, 11)
    using search = prefixBeamSearch(alphabet, { beam: 4, best: 4, languageModel })
    const first = await search.run(logits, { lengths })
    expect(await search.run(logits, { lengths })).toEqual(first)
    for (const some of first) {
      for (const { labels, logProbability: frames, score } of some) {
        const tokens = tokensOf(Array.from(labels, (label) => alphabet.symbols[label]!).join(''))
        const lost = unit === 'words' ? -10 * tokens.filter((token) => token === 0).length : 0
        expect(score).toBeCloseTo(frames + 0.5 * logProbability(parameters, tokens, end) + lost, 3)
      }
    }
  })
})

describe('a vocabulary', () => {
  it('without an end of lines is refused', () => {
    const vocabulary = new Vocabulary({ unit: 'character', tokens: ['a', 'b'] })
    const net = lstmLm({ vocabulary: 2, units: 2, layers: 1, dropout: 0 })
    const of = { compile: () => Promise.reject(new Error('not asked for')) }
    expect(() => networkLanguageModel(of, net, vocabulary)).toThrow(
      'networkLanguageModel[vocabulary]: expected an end of line, "\\n", in it, got none',
    )
    expect(() => networkLanguageModel({} as never, net, vocabulary)).toThrow('expected a session or a model')
    expect(() => networkLanguageModel(of, net, {} as never)).toThrow('expected a Vocabulary, got {}')
  })
})
