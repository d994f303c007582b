// Penn Treebank's small network beside PyTorch in float64: loss, logits and every gradient of one batch, of a shrunken copy
// in float64 and of the full network on each backend in f32.
import { readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import { feed, type Tensor, trace } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import { mul } from '../../lib/ops/index.js'
import { interpret } from '../support/interpreter.js'
import { compare, type ModelGolden, numbersOf, onDevice, roomFor, stepOf } from '../support/model-golden.js'
import { backends } from '../support/native.js'
import { ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

interface Golden extends ModelGolden {
  readonly config: {
    readonly units: number
    readonly vocabulary: number
    readonly steps: number
    readonly streams: number
    readonly width: number
  }
}

const file = new URL('../golden/words.json', import.meta.url)
const [small, full] = JSON.parse(readFileSync(file, 'utf8')) as [Golden, Golden]

/** Loss, logits and the gradients by parameter. */
function build({ config: { units, vocabulary, steps, streams } }: Golden): () => Readonly<Record<string, Tensor>> {
  const layer = () => nn.lstm({ units })
  const net = nn.sequential(nn.embedding(vocabulary, units), layer(), layer(), nn.linear(units, vocabulary))
  return () => {
    const logits = net(feed('x', 'i32', [steps, streams]))
    const loss = mul(nn.crossEntropy(logits, feed('target', 'i32', [steps, streams])), steps)
    return stepOf(logits, loss, (path) => path)
  }
}

function words({ config: { steps, streams, vocabulary } }: Golden, stride: number): number[] {
  return Array.from({ length: steps * streams }, (_, i) => (i * stride) % vocabulary)
}

test('a shrunken network, float64', () => {
  const { steps, streams, width } = small.config
  const graph = trace({ name: 'golden' }, build(small))
  const states = Object.fromEntries(
    graph.states.map(({ name, variable }, i) => [
      name,
      { shape: variable.shape, data: pattern(new Float64Array(variable.count), i + 1, width) },
    ]),
  )
  const shape = [steps, streams]
  const feeds = { x: ndarray(shape, words(small, 7)), target: ndarray(shape, words(small, 11)) }
  const { fetches } = interpret(graph, feeds, states)
  compare(small, numbersOf(fetches), 1e-10)
})

describe.each(backends())('the small network of the paper, $name', ({ name: backend, reason }) => {
  test.skipIf(reason !== undefined)('f32', { timeout: 120000 }, () =>
    onDevice(backend, async (programs, store) => {
      const options = { name: 'golden', mode: 'eval', precision: 'f32', brings: true } as const
      const built = await programs.build(options, build(full))
      for (const [i, { variable, buffer }] of store.parameters().entries()) {
        await buffer.write(pattern(new Float32Array(variable.count), i + 1, full.config.width))
      }
      const fetches = roomFor(built)
      const feeds = { x: Int32Array.from(words(full, 7)), target: Int32Array.from(words(full, 11)) }
      await built.program.run(feeds, fetches)
      compare(full, fetches, 2e-5)
    }),
  )
})
