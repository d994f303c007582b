// A translator that is fed its own words: without any it is the network itself, and with all of them the network that is given them.
import { describe, expect, it } from 'vitest'
import { feed, type Tensor, trace } from '../../lib/graph/index.js'
import { attentionTranslator, lstmTranslator, ownWordLogits, type Translator } from '../../lib/models/index.js'
import { interpret } from '../support/interpreter.js'
import { ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

const [S, T, N, words] = [4, 5, 3, 7]
const extents = { source: 6, target: words, embedding: 4, units: 5 }
const none = { embedding: 0, reading: 0, writing: 0 }
const translators: Readonly<Record<string, Translator>> = {
  lstm: lstmTranslator({ ...extents, layers: 2, dropout: 0, reversed: true }),
  attention: attentionTranslator({ ...extents, attention: 'additive', dropout: none }),
}
const fed = {
  source: Array.from({ length: S * N }, (_, i) => 1 + ((3 * i) % 5)),
  lengths: [4, 2, 3],
  before: Array.from({ length: T * N }, (_, i) => (i < N ? 1 : 1 + ((5 * i) % 6))),
}

/** What a network gives in float64, of these words before. */
function run(
  body: (source: Tensor<'i32'>, lengths: Tensor<'i32'>, before: Tensor<'i32'>) => Tensor,
  before = fed.before,
) {
  const graph = trace({ name: 'own words' }, () => ({
    logits: body(feed('source', 'i32', [S, N]), feed('lengths', 'i32', [N]), feed('before', 'i32', [T, N])),
  }))
  const feeds = graph.feeds.map(({ name, tensor }) => {
    return [name, ndarray(tensor.shape, { ...fed, before }[name as keyof typeof fed])] as const
  })
  const states = graph.states.map(({ name, variable }, i) => {
    const data = pattern(new Float64Array(variable.shape.reduce((n, extent) => n * extent, 1)), i + 1)
    return [name, { shape: variable.shape, data: data.map((value) => 3 * value) }] as const
  })
  return [...interpret(graph, Object.fromEntries(feeds), Object.fromEntries(states)).fetches['logits']!.data]
}

/** The likeliest word of each step, behind a beginning. */
function chosenWords(logits: readonly number[]): number[] {
  const best = Array.from({ length: T * N }, (_, i) => {
    const row = logits.slice(i * words, (i + 1) * words)
    return row.indexOf(Math.max(...row))
  })
  return [...fed.before.slice(0, N), ...best.slice(0, (T - 1) * N)]
}

const farthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity)

describe.each(Object.entries(translators))('%s', (_, net) => {
  it('is the network itself where no word is its own', () => {
    const own = run((source, lengths, before) => ownWordLogits(net, source, lengths, before, 0))
    expect(farthest(own, run(net.logits))).toBeLessThan(1e-12)
  })

  it('is the network that is given the words which it writes', () => {
    const own = run((source, lengths, before) => ownWordLogits(net, source, lengths, before, 1))
    const written = chosenWords(own)
    expect(farthest(own, run(net.logits, written))).toBeLessThan(1e-12)
    // Another network than the one that is given the translation.
    expect(written).not.toEqual(fed.before)
    expect(farthest(own, run(net.logits))).toBeGreaterThan(1e-3)
  })
})

describe('a share of own words', () => {
  it('draws for each word of each row anew', () => {
    const graph = trace({ name: 'draws' }, () => ({
      logits: ownWordLogits(
        translators['lstm']!,
        feed('s', 'i32', [S, N]),
        feed('l', 'i32', [N]),
        feed('b', 'i32', [T, N]),
        0.5,
      ),
    }))
    const draws = graph.nodes.filter(({ op }) => op.name === 'randomUniform')
    expect(draws.map(({ outputs }) => outputs[0]!.shape)).toEqual(Array.from({ length: T - 1 }, () => [N]))
    expect(new Set(draws.map(({ attrs }) => attrs['stream'])).size).toBe(T - 1)
  })
})
