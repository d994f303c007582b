// The network of speech: what it is made of, what it gives of rows of lengths of their own, and what it refuses.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { feed, Names, read, type Tensor, trace, type TraceMode, verify } from '../../../lib/graph/index.js'
import { gravesSpeech, speech, type SpeechConfig } from '../../../lib/models/index.js'
import * as nn from '../../../lib/nn/index.js'
import { sum } from '../../../lib/ops/index.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'
import { fixedStates, rowOf, side, tones } from '../../support/sound.js'
import { uneven } from '../nn/support.js'

const close = { tolerance: 1e-9, relativeTo: 'tensor' } as const
const banks = { convention: 'kaldi', rate: 2000, frameLength: 16, frameShift: 6, filters: 6 } as const
const small: SpeechConfig = { features: { banks, deltas: 1 }, layers: 2, units: 4, classes: 5 }

/** Logits of rows of these lengths. */
function run(config: SpeechConfig, rows: readonly (readonly number[])[], samples: number, mode: TraceMode = 'eval') {
  const net = speech(config)
  const graph = trace({ name: 'net', mode, names: new Names() }, () => {
    const lengths = feed('lengths', 'i32', [rows.length]) as Tensor<'i32'>
    const { output, lengths: frames } = net.run(feed('x', 'f32', [samples, rows.length]), { lengths })
    return { output, frames }
  })
  verify(graph)
  const fixed = fixedStates(graph)
  const states = Object.fromEntries(
    graph.states.map(({ name, tensor, variable }, i) => {
      const own = variable.role === 'parameter' ? uneven(tensor.shape, i) : undefined
      const moments = name.endsWith('/deviation') ? 3 : name.endsWith('/mean') ? 1 : 0
      return [
        name,
        own ??
          fixed[name] ??
          ndarray(
            tensor.shape,
            uneven(tensor.shape).data.map(() => moments),
          ),
      ]
    }),
  )
  const feeds = {
    x: side(rows, samples, NaN),
    lengths: ndarray(
      [rows.length],
      rows.map((row) => row.length),
    ),
  }
  return { net, graph, ...(interpret(graph, feeds, states).fetches as Record<'output' | 'frames', typeof feeds.x>) }
}

describe('speech', () => {
  test("has the paper's 123 numbers, and 3.8 million weights", () => {
    const net = speech({ ...gravesSpeech, classes: 62 })
    expect(net.inputs).toBe(123)
    expect(net.frames(16_000)).toBe(98)
    const { parameters } = nn.summary(net, { x: [720, 1] })
    const cells = (inputs: number) => 2 * (4 * 250 * (inputs + 250 + 1) + 3 * 250)
    expect(parameters).toBe(cells(123) + 2 * cells(500) + 501 * 62)
    expect(parameters).toBe(3_787_562)
  })

  test.each([
    ['peepholes', { peepholes: true }],
    ['sounds of their own', { features: { banks, normalise: 'sound' } }],
    ['cepstra', { features: { cepstra: { ...banks, convention: 'htk', coefficients: 5 }, deltas: 2 } }],
    ['no normalisation', { features: { banks, normalise: 'none' } }],
  ] as const)('%s: a row of a batch has the logits that it has alone', (_name, more) => {
    const config = { ...small, ...more } as SpeechConfig
    const lengths = [80, 41, 120]
    const rows = lengths.map((length, n) => tones(length, n))
    const { net, output, frames } = run(config, rows, 120)
    expect(output.shape).toEqual([net.frames(120), 3, 5])
    expect([...frames.data]).toEqual(lengths.map((length) => net.frames(length)))
    for (const [n, row] of rows.entries()) {
      const alone = run(config, [row], row.length).output
      expect(difference(rowOf(output, n, alone.shape[0]!), alone, close), `row ${n}`).toBeUndefined()
    }
  })

  test('has paths that do not depend on noise, masks or dropout', () => {
    const names = (more: Partial<SpeechConfig>) => {
      const { graph } = run({ ...small, ...more }, [tones(60)], 60, 'train')
      return graph.states.flatMap(({ name, variable }) => (variable.role === 'parameter' ? [name] : []))
    }
    const plain = names({})
    expect(plain).toHaveLength(2 * 2 * 3 + 2)
    expect(plain[0]).toBe('speech/bidirectional1/lstm1/w')
    expect(plain.at(-1)).toBe('speech/linear1/b')
    const augment = { frequency: { masks: 1, most: 2 }, time: { masks: 1, most: 2 } }
    expect(names({ weightNoise: 0.1, dropout: 0.2, augment })).toEqual(plain)
  })

  test('noise, masks and dropout are of training alone', () => {
    const augment = { frequency: { masks: 1, most: 2 }, time: { masks: 1, most: 2 } }
    const random = (mode: TraceMode) => {
      const { graph } = run({ ...small, weightNoise: 0.1, dropout: 0.2, augment }, [tones(60)], 60, mode)
      return graph.nodes.filter(({ op }) => ['randomNormal', 'randomUniform', 'dropout'].includes(op.name)).length
    }
    // Each of 14 weights; two draws for each of two masks; one behind each layer.
    expect([random('train'), random('eval')]).toEqual([14 + 4 + 2, 0])
  })

  test('gives a gradient to every weight', () => {
    const net = speech({ ...small, init: 0.1 })
    const graph = trace({ name: 'net', mode: 'train', names: new Names() }, () => {
      const { output } = net.run(feed('x', 'f32', [80, 2]))
      const parameters = net.parameters.map((parameter) => read(parameter))
      return Object.fromEntries(grad(sum(output), parameters).map((slope, i) => [parameters[i]!.node.path, slope]))
    })
    const flat = graph.fetches.filter(({ tensor }) => tensor.node.op.name === 'constant')
    expect(graph.fetches).toHaveLength(14)
    expect(flat).toEqual([])
  })

  test('gives the numbers of frames, before they are normalised', () => {
    const net = speech(small)
    const graph = trace({ name: 'net', names: new Names() }, () => {
      const { output } = net.features(feed('x', 'f32', [80, 1]))
      return { output }
    })
    expect(net.inputs).toBe(12)
    expect(graph.fetches[0]!.tensor.shape).toEqual([net.frames(80), 1, 12])
    expect(graph.states.every(({ variable }) => variable.role === 'scratch')).toBe(true)
  })

  test.each([
    [{ classes: 1 }, 'speech[classes]: expected a whole number of at least 2, got 1'],
    [{ units: 0 }, 'speech[units]: expected a whole number of at least 1, got 0'],
    [{ features: {} }, 'speech[features]: expected banks or cepstra, got neither'],
    [{ features: { banks, cepstra: banks } }, 'speech[features]: expected banks or cepstra, got both'],
    [{ features: { banks, moments: { mean: [0], deviation: [1] } } }, 'standardise[mean]: expected 6 finite numbers'],
    [{ layer: 3 }, 'got layer (did you mean layers?)'],
  ])('refuses %o', (more, message) => {
    expect(() => speech({ ...small, ...more })).toThrow(message)
  })
})
