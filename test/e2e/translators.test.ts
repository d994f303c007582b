// The translators beside PyTorch in float64, which has each sentence alone; padding changes nothing, and words that are written one by one
// are those of the whole translation.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { constant, feed, type Graph, read, type Tensor, trace, variablesRead } from '../../lib/graph/index.js'
import { attentionTranslator, lstmTranslator, transformerTranslator, type Translator } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import { openDevice } from '../../lib/runtime/index.js'
import { Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'
import { interpret } from '../support/interpreter.js'
import { compare, type ModelGolden } from '../support/model-golden.js'
import { backends } from '../support/native.js'
import { ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

interface Golden extends ModelGolden {
  readonly name: string
  readonly config: { readonly source: number; readonly target: number }
}
const goldens = JSON.parse(readFileSync(new URL('../golden/translators.json', import.meta.url), 'utf8')) as Golden[]

// As in make_translators.py.
const lengths = [1, 3, 40, 7, 12]
const targetLengths = [40, 2, 1, 9, 5]
const rows = lengths.length
const word = (t: number, row: number, vocabulary: number, seed: number) =>
  1 + ((7 * t + 3 * row + t * t + seed) % (vocabulary - 1))

function translator({ name, config }: Golden): Translator {
  const own = { ...config, dropout: 0 } as object
  if (name.startsWith('lstm')) return lstmTranslator(own as Parameters<typeof lstmTranslator>[0])
  if (name === 'transformer') return transformerTranslator(own as Parameters<typeof transformerTranslator>[0])
  const dropout = { embedding: 0, reading: 0, writing: 0 }
  return attentionTranslator({ ...own, dropout } as Parameters<typeof attentionTranslator>[0])
}

/** Sentences of these lengths in columns of `steps` words, 0 behind their ends. */
function columns(steps: number, each: readonly number[], of: (t: number, row: number) => number): number[] {
  return Array.from({ length: steps * rows }, (_, i) => {
    const [t, row] = [Math.floor(i / rows), i % rows]
    return t < each[row]! ? of(t, row) : 0
  })
}

/** What is fed, in batches of so many steps. */
function fed({ config: { source, target } }: Golden, sourceSteps: number, targetSteps: number) {
  const wanted = (t: number, row: number) => word(t, row, target, 5)
  return {
    source: columns(sourceSteps, lengths, (t, row) => word(t, row, source, 2)),
    before: columns(targetSteps, targetLengths, (t, row) => (t === 0 ? 1 : wanted(t - 1, row))),
    wanted: columns(targetSteps, targetLengths, wanted),
    lengths,
    targetLengths,
  }
}

function traced(golden: Golden, sourceSteps: number, targetSteps: number): () => Readonly<Record<string, Tensor>> {
  const net = translator(golden)
  return () => {
    const sequence = (name: string, steps: number) => feed(name, 'i32', [steps, rows])
    const known = feed('targetLengths', 'i32', [rows])
    const logits = net.logits(
      sequence('source', sourceSteps),
      feed('lengths', 'i32', [rows]),
      sequence('before', targetSteps),
    )
    const mask = ops.reshape(ops.sequenceMask(known, targetSteps), [-1])
    const flat = ops.reshape(logits, [-1, golden.config.target])
    const loss = nn.crossEntropy(flat, ops.reshape(sequence('wanted', targetSteps), [-1]), { mask })
    // Behind the last word of each sentence.
    const row = constant('i32', [rows], [...lengths.keys()])
    const ends = ops.gather(flat, ops.add(ops.mul(ops.sub(known, 1), rows), row))
    const variables = variablesRead()
    const values = variables.map((variable) => read(variable))
    const gradients = grad(loss, values)
    const byPath = values.map(({ node }, i): [string, Tensor] => [node.path, gradients[i]!])
    return { loss, logits: ends, ...Object.fromEntries(byPath.sort(([a], [b]) => (a < b ? -1 : 1))) }
  }
}

/** As in make_translators.py: the seed is the place among the paths in order. */
function valueOf(golden: Golden, path: string, shape: readonly number[]) {
  const order = Object.keys(golden.gradients).indexOf(path)
  const data = pattern(new Float64Array(shape.reduce((n, extent) => n * extent, 1)), order + 1)
  return { shape, data: path.endsWith('/scale') ? data.map((value) => value + 1) : data }
}

function run(golden: Golden, graph: Graph, feeds: Readonly<Record<string, readonly number[]>>) {
  const states = graph.states.map(({ name, variable }) => [name, valueOf(golden, name, variable.shape)] as const)
  const shaped = graph.feeds.map(({ name, tensor }) => [name, ndarray(tensor.shape, feeds[name]!)] as const)
  const { fetches } = interpret(graph, Object.fromEntries(shaped), Object.fromEntries(states))
  return Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, data]))
}

describe.each(goldens)('$name', (golden) => {
  it('has the loss and the gradients of sentences alone, in float64, in a batch that is longer than each', () => {
    const graph = trace({ name: 'golden' }, traced(golden, 43, 41))
    compare(golden, run(golden, graph, fed(golden, 43, 41)), 1e-9)
  })

  it('writes word by word what it writes at once', () => {
    const steps = 6
    const net = translator(golden)
    const graph = trace({ name: 'steps' }, () => {
      const [source, before] = [feed('source', 'i32', [40, rows]), feed('before', 'i32', [steps, rows])]
      const each = feed('lengths', 'i32', [rows])
      const whole = net.logits(source, each, before)
      const reading = net.read(source, each)
      let { states } = reading
      const differences = Array.from({ length: steps }, (_, t) => {
        const row = ops.reshape(ops.slice(before, [t, 0], [1, rows]), [rows])
        const { logits, states: after, alignment } = net.write(row, states, reading.memory)
        if (alignment) expect(alignment.shape).toEqual([rows, 40])
        states = after
        const wanted = ops.reshape(ops.slice(whole, [t, 0, 0], [1, rows, golden.config.target]), [...logits.shape])
        return ops.max(ops.abs(ops.sub(logits, wanted)))
      })
      return Object.fromEntries(differences.map((one, t) => [`d${t}`, one]))
    })
    const feeds = fed(golden, 40, steps)
    for (const [difference] of Object.values(run(golden, graph, feeds))) expect(difference).toBeLessThan(1e-12)
  })
})

describe.each(backends())('on $name', ({ name: backend, reason }) => {
  test.skipIf(reason !== undefined).each(goldens)('$name, f32', async (golden) => {
    const device = await openDevice({ device: backend as 'cpu', threads: 2 })
    try {
      const store = new StateStore(device)
      const options = { name: 'golden', mode: 'eval', precision: 'f32', brings: true } as const
      const { program, fetches: ports } = await new Programs(device, store, 1).build(options, traced(golden, 40, 40))
      for (const { name, buffer, variable } of store.parameters()) {
        await buffer.write(Float32Array.from(valueOf(golden, name, variable.shape).data))
      }
      const room = ports.map(
        ({ name, shape }) => [name, new Float32Array(shape.reduce((n, extent) => n * extent, 1))] as const,
      )
      const fetches = Object.fromEntries(room)
      const feeds = Object.entries(fed(golden, 40, 40)).map(([name, values]) => [name, Int32Array.from(values)])
      await program.run(Object.fromEntries(feeds) as Record<string, Int32Array>, fetches)
      compare(golden, fetches, 2e-5)
    } finally {
      await device.dispose()
    }
  })
})
