// Networks that predict frames beside PyTorch in float64: loss, logits and every gradient of shrunken copies, in float64 and on each backend.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { feed, type Tensor, trace } from '../../lib/graph/index.js'
import {
  compositeLstm,
  type CompositeLstmConfig,
  convLstmForecaster,
  type ConvLstmForecasterConfig,
  type Forecaster,
  nextFrameConvLstm,
} from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import { add, mul, sigmoid, slice } from '../../lib/ops/index.js'
import { interpret } from '../support/interpreter.js'
import { compare, type ModelGolden, numbersOf, onDevice, roomFor, stepOf, within } from '../support/model-golden.js'
import { backends } from '../support/native.js'
import { ndarray } from '../support/ndarray.js'
import { pattern } from '../support/pattern.js'

type Golden = ModelGolden &
  (
    | { readonly network: 'convLstmForecaster' | 'nextFrameConvLstm'; readonly config: ConvLstmForecasterConfig }
    | { readonly network: 'compositeLstm'; readonly config: CompositeLstmConfig }
  )

const goldens = JSON.parse(
  readFileSync(new URL('../golden/video/networks.json', import.meta.url), 'utf8'),
) as readonly Golden[]
const nameOf = ({ network, config }: Golden): string => {
  const knob = 'peepholes' in config ? { peepholes: config.peepholes } : { conditional: config.conditional }
  return `${network} ${JSON.stringify(knob)}`
}
function make(golden: Golden): Forecaster {
  if (golden.network === 'compositeLstm') return compositeLstm(golden.config)
  return (golden.network === 'nextFrameConvLstm' ? nextFrameConvLstm : convLstmForecaster)(golden.config)
}
const frameOf = (golden: Golden): readonly number[] =>
  golden.network === 'compositeLstm' ? golden.config.frame : [1, 8, 8]
const shapesOf = (golden: Golden) => ({
  x: [4, 2, ...frameOf(golden)],
  target: [golden.config.future, 2, ...frameOf(golden)],
})
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1)

/** Cross-entropy of a frame, summed over its pixels. */
const nats = (logits: Tensor<'f32'>, frames: Tensor<'f32'>): Tensor<'f32'> =>
  mul(nn.binaryCrossEntropy(logits, frames), sizeOf(frames.shape.slice(2)))

/** Loss, logits and the gradients by parameter, in the order of their names. */
function build(golden: Golden): () => Readonly<Record<string, Tensor>> {
  const net = make(golden)
  return () => {
    const shapes = shapesOf(golden)
    const [x, target] = [feed('x', 'f32', shapes.x), feed('target', 'f32', shapes.target)]
    const { output, past, next } = net.run(x, { target })
    const losses = [nats(output, target)]
    if (past !== undefined) losses.push(nats(past, x))
    if (next !== undefined) losses.push(nats(next, slice(x, [1, 0, 0, 0, 0], next.shape)))
    return stepOf(
      output,
      losses.reduce((sum, one) => add(sum, one)),
      within,
    )
  }
}

/** Frames from 0 to 1, as in make_video.py. */
function frames<T extends Float32Array | Float64Array>(into: T, seed: number): T {
  return pattern(into, seed).map((value) => value + 0.5) as T
}

/** The results with gradients in the order of the golden ones. */
function sorted<T>(results: Readonly<Record<string, T>>, golden: Golden): Record<string, T> {
  const paths = Object.keys(results).filter((name) => name.includes('/'))
  expect(paths.toSorted()).toEqual(Object.keys(golden.gradients))
  return Object.fromEntries(['loss', 'logits', ...paths.toSorted()].map((name) => [name, results[name]!]))
}

describe.each(goldens.map((golden) => ({ name: nameOf(golden), golden })))('$name', ({ golden }) => {
  const shapes = shapesOf(golden)
  const seedOf = (path: string): number => 1 + Object.keys(golden.gradients).indexOf(within(path))

  test('float64', { timeout: 120_000 }, () => {
    const graph = trace({ name: 'golden', mode: 'train' }, build(golden))
    const states = Object.fromEntries(
      graph.states.map(({ name, variable }) => [
        name,
        { shape: variable.shape, data: pattern(new Float64Array(variable.count), seedOf(name)) },
      ]),
    )
    const feeds = {
      x: ndarray(shapes.x, [...frames(new Float64Array(sizeOf(shapes.x)), 100)]),
      target: ndarray(shapes.target, [...frames(new Float64Array(sizeOf(shapes.target)), 101)]),
    }
    compare(golden, sorted(numbersOf(interpret(graph, feeds, states).fetches), golden), 1e-10)
  })

  describe.each(backends())('$name', ({ name: backend, reason }) => {
    test.skipIf(reason !== undefined)('f32', { timeout: 120_000 }, () =>
      onDevice(backend, async (programs, store) => {
        const options = { name: 'golden', mode: 'train', precision: 'f32', brings: true } as const
        const built = await programs.build(options, build(golden))
        for (const { name, variable, buffer } of store.parameters()) {
          await buffer.write(pattern(new Float32Array(variable.count), seedOf(name)))
        }
        const fetches = roomFor(built)
        const x = frames(new Float32Array(sizeOf(shapes.x)), 100)
        const target = frames(new Float32Array(sizeOf(shapes.target)), 101)
        await built.program.run({ x, target }, fetches)
        compare(golden, sorted(fetches, golden), 2e-5)
      }),
    )
  })
})

describe('a conditional composite LSTM that is measured', () => {
  const golden = goldens.find((one) => one.network === 'compositeLstm' && one.config.conditional)!
  const shapes = shapesOf(golden)

  /** Logits of a program over made-up frames, of which those that follow are `target`. */
  function logitsOf(mode: 'train' | 'eval', target: Float64Array): Float64Array {
    const net = make(golden)
    const graph = trace({ name: 'forecast', mode }, () => {
      const seen = feed('x', 'f32', shapes.x)
      const { output } = net.run(seen, { target: feed('target', 'f32', shapes.target) })
      return { output, pixels: sigmoid<'f32', readonly number[]>(output) }
    })
    const states = Object.fromEntries(
      graph.states.map(({ name, variable }) => [
        name,
        {
          shape: variable.shape,
          data: pattern(new Float64Array(variable.count), 1 + Object.keys(golden.gradients).indexOf(within(name))),
        },
      ]),
    )
    const x = ndarray(shapes.x, [...frames(new Float64Array(sizeOf(shapes.x)), 100)])
    return interpret(graph, { x, target: ndarray(shapes.target, [...target]) }, states).fetches['output']!.data
  }

  it('is given its own frames, and in training the true ones', () => {
    const size = sizeOf(shapes.target)
    const one = logitsOf('eval', frames(new Float64Array(size), 101))
    expect([...logitsOf('eval', frames(new Float64Array(size), 7))]).toEqual([...one])
    const frame = size / golden.config.future
    // Fed with what it predicts itself, training is what measuring is.
    const own = new Float64Array(size)
    for (let t = 0; t < golden.config.future; t++) {
      const logits = logitsOf('train', own)
      for (let i = t * frame; i < (t + 1) * frame; i++) own[i] = 1 / (1 + Math.exp(-logits[i]!))
    }
    const fed = logitsOf('train', own)
    for (const [i, value] of fed.entries()) expect(value).toBeCloseTo(one[i]!, 12)
    expect([...logitsOf('train', frames(new Float64Array(size), 7))].slice(frame)).not.toEqual([...one].slice(frame))
  })
})
