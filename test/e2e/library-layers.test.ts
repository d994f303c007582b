// Recurrent layers that cuDNN computes: where they are found, what they give, and how the choice is made. On CUDA's double,
// whose cuDNN has its weights in an order of its own.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { vjp } from '../../lib/autodiff/index.js'
import { type CompilePrecision, compileGraph } from '../../lib/compile/index.js'
import { emitOne, feed, type Graph, type Shape, type Tensor, trace } from '../../lib/graph/index.js'
import { projected } from '../../lib/nn/projection.js'
import * as ops from '../../lib/ops/index.js'
import { parameterGradientOp } from '../../lib/ops/marker.js'
import { diagnose } from '../../lib/runtime/index.js'
import { difference } from '../support/compare.js'
import { interpret } from '../support/interpreter.js'
import { fill, type NDArray, ndarray } from '../support/ndarray.js'

const script = fileURLToPath(new URL('children/program.mjs', import.meta.url))
/** Of the environment, and `deterministic`. */
type Settings = Readonly<Record<string, string>>
interface Said {
  readonly explain?: string
  readonly results?: Readonly<Record<string, readonly number[]>>
  readonly error?: string
}
const isDouble = diagnose().versions['CUDA driver'] === 'double'
const usual = { steps: 5, streams: 4, features: 6, units: 8 }
/** Of which many values begin at places that are no multiple of 16 bytes. */
const odd = { steps: 4, streams: 3, features: 6, units: 5 }

let cache = ''
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'ostrich-layers-'))
})
afterEach(() => {
  rmSync(cache, { recursive: true })
})

type T = Tensor<'f32'>
interface Kind {
  readonly cell: 'lstm' | 'tanh' | 'relu'
  readonly bias?: boolean
  readonly sizes?: typeof usual
  /** Of which gradients are asked for. */
  readonly by?: readonly string[]
  readonly layers?: number
  /** What makes it a layer that cuDNN does not take. */
  readonly but?: 'reverse' | 'mask' | 'every c' | 'gates' | 'halves'
  /** The second layer starts where the first one ends, and x is a part of a longer sequence. */
  readonly chained?: boolean
}

/** The fields of a kind and numbers for them. */
function given({ cell, bias = true, sizes = usual, layers = 1, but, chained }: Kind): Record<string, NDArray> {
  const { steps, streams, features, units } = sizes
  const parts = cell === 'lstm' ? 4 : 1
  const wave = (shape: number[], phase: number, size = 0.4) =>
    fill(shape, (at) => Math.fround(size * Math.sin(phase + at.reduce((sum, i, k) => sum + i * (2 * k + 3), 0))))
  const fields: Record<string, NDArray> = { x: wave([steps + (chained ? 1 : 0), streams, features], 1, 1) }
  for (let layer = 0; layer < layers; layer++) {
    const wide = layer === 0 ? features : units
    const halves = but === 'halves' ? 2 : 1
    fields[`w${layer}`] = wave([(parts * units) / halves, wide / halves], 2 + layer)
    fields[`u${layer}`] = wave([units, parts * units], 3 + layer)
    if (bias) fields[`b${layer}`] = wave([(parts * units) / halves], 4 + layer)
    if (chained && layer > 0) continue
    fields[`h${layer}`] = wave([streams, units], 5 + layer)
    if (cell === 'lstm') fields[`c${layer}`] = wave([streams, units], 6 + layer)
  }
  return fields
}

/** As a session marks the gradients of weights, which lets them be bf16. */
const marked = (name: string, gradient: Tensor) =>
  /^[wub]/.test(name) ? emitOne(parameterGradientOp, [gradient], { parameter: name }) : gradient

/** Outputs of layers, one over the other, and gradients of a mix of them. */
function graphOf(kind: Kind): Graph {
  const { cell, bias = true, by = Object.keys(given(kind)), layers = 1, but, chained = false, sizes = usual } = kind
  const { steps, streams, features, units } = sizes
  return trace({ name: 'layers' }, () => {
    const fields = Object.fromEntries(
      Object.entries(given(kind)).map(([name, { shape }]) => [name, feed(name, 'f32', shape)]),
    ) as Record<string, T>
    const order = {
      reverse: but === 'reverse',
      ...(but === 'mask' && { mask: ops.ones([steps, streams], 'u8') }),
    }
    let y = chained ? (ops.slice(fields['x']!, [1, 0, 0], [steps, streams, features]) as T) : fields['x']!
    let last: { readonly h: T; readonly c: T } | undefined
    const end = (x: T) => ops.reshape(ops.slice(x, [steps - 1, 0, 0], [1, streams, units]), [streams, units]) as T
    const outputs: Record<string, T> = {}
    for (let layer = 0; layer < layers; layer++) {
      const [w, u, b, h0, c0] = ['w', 'u', 'b', 'h', 'c'].map((name) => fields[`${name}${layer}`])
      const { h, c } = last ?? { h: h0, c: c0 }
      const inTwo = but === 'halves' ? (ops.reshape(y, [2 * steps, streams, features / 2]) as T) : y
      const product = projected(inTwo, w!, bias ? b : undefined)
      const gates = but === 'halves' ? (ops.reshape(product, [steps, streams, 4 * units]) as T) : product
      if (but === 'gates') outputs['gates'] = gates
      if (cell === 'lstm') {
        const states = ops.lstm(gates, u!, { h: h!, c: c! }, order)
        y = states.h
        const ended = ops.slice(states.c, [steps - 1, 0, 0], [1, streams, units])
        outputs[`c${layer}`] = but === 'every c' ? states.c : ended
        if (chained) last = { h: end(states.h), c: ops.stopGradient(end(states.c)) }
      } else {
        y = ops.rnn(gates, u!, h!, { activation: cell, ...order })
      }
    }
    outputs['y'] = y
    const cotangents = [ops.stopGradient(ops.sin<'f32', Shape>(ops.mul(y, 2)))]
    const wrt = by.map((name) => fields[name]!)
    const gradients = by.length === 0 ? [] : vjp([y], cotangents, wrt)
    return { ...outputs, ...Object.fromEntries(by.map((name, i) => [`d${name}`, marked(name, gradients[i]!)])) }
  })
}

/** What another process says of a graph that it runs, with such settings in its environment. */
function said(graph: Graph, fields: Record<string, NDArray>, precision: CompilePrecision, settings: Settings) {
  const { text, fetches } = compileGraph(graph, { precision })
  const feeds = Object.fromEntries(Object.entries(fields).map(([name, { data }]) => [name, [...data]]))
  const { deterministic, ...environment } = settings
  const { stdout, stderr } = spawnSync(process.execPath, [script], {
    ...{
      encoding: 'utf8',
      input: JSON.stringify({ text, feeds, options: { deterministic: deterministic === 'yes' } }),
    },
    env: { ...process.env, XDG_CACHE_HOME: cache, OSTRICH_RECURRENCES: 'cudnn', ...environment },
  })
  expect(stderr).toBe('')
  const { explain, results, error } = JSON.parse(stdout) as Said
  if (error !== undefined || explain === undefined || results === undefined) throw new Error(error)
  const found = fetches.map(({ name, shape }) => [name, ndarray(shape, results[name]!)] as const)
  return { explain, results: Object.fromEntries(found) }
}

const byCudnn = (explain: string) => (explain.match(/^\d+ \w+\[.*cudnn-double/gm) ?? []).length

function expectTrue(kind: Kind, precision: CompilePrecision, calls: number, settings: Settings = {}): void {
  const [graph, fields] = [graphOf(kind), given(kind)]
  const { explain, results } = said(graph, fields, precision, settings)
  expect(byCudnn(explain), explain).toBe(calls)
  const wanted = interpret(graph, fields).fetches
  expect(Object.keys(results).sort()).toEqual(Object.keys(wanted).sort())
  const tolerance = precision === 'f32' ? 2 ** -16 : 2 ** -5
  for (const [name, want] of Object.entries(wanted)) {
    expect(difference(results[name]!, want, { tolerance, relativeTo: 'tensor' }), name).toBeUndefined()
  }
}

describe.skipIf(!isDouble)('a recurrent layer by cuDNN', () => {
  const kinds: [string, Kind, number][] = [
    ['an LSTM', { cell: 'lstm' }, 2],
    ['an LSTM without a bias', { cell: 'lstm', bias: false }, 2],
    ['an LSTM of one step', { cell: 'lstm', sizes: { ...usual, steps: 1 } }, 2],
    ['an LSTM of odd extents', { cell: 'lstm', sizes: odd }, 2],
    ['an LSTM that starts where another one ends', { cell: 'lstm', sizes: odd, layers: 2, chained: true }, 4],
    ['two LSTMs', { cell: 'lstm', layers: 2 }, 4],
    ['an LSTM that does not train', { cell: 'lstm', by: [] }, 1],
    ['an LSTM whose input needs no gradient', { cell: 'lstm', by: ['w0', 'u0', 'b0'] }, 2],
    ['an LSTM of which only the first states learn', { cell: 'lstm', by: ['h0', 'c0'] }, 2],
    ['a plain network of tanh', { cell: 'tanh' }, 2],
    ['two plain networks of tanh', { cell: 'tanh', layers: 2, sizes: odd }, 4],
    ['a plain network of ReLU, which is left to our own kernels,', { cell: 'relu', by: [] }, 0],
  ]
  it.each(kinds.flatMap((kind) => (['f32', 'bf16'] as const).map((precision) => [...kind, precision] as const)))(
    '%s gives what double precision gives',
    (_, kind, calls, precision) => {
      expectTrue(kind, precision, calls)
    },
  )

  it.each(['2', '3', '4'])('finds its weights wherever the library has them, seed %s', (seed) => {
    expectTrue({ cell: 'lstm' }, 'f32', 2, { OSTRICH_DOUBLE_SEED: seed })
  })

  it.each(['reverse', 'mask', 'every c', 'gates', 'halves'] as const)('is left to our own kernels with %s', (but) => {
    expectTrue({ cell: 'lstm', but }, 'f32', 0)
  })

  it('is left to our own kernels by a device that is deterministic, and where that is asked for', () => {
    const kind = { cell: 'lstm' } as const
    expectTrue(kind, 'f32', 0, { OSTRICH_RECURRENCES: 'own' })
    expectTrue(kind, 'f32', 0, { OSTRICH_RECURRENCES: '', deterministic: 'yes' })
  })

  it('is computed by the algorithm that is named, and one that there is not is refused by name', () => {
    const kind = { cell: 'lstm' } as const
    expectTrue(kind, 'f32', 2, { OSTRICH_RECURRENCES: 'cudnn-double' })
    for (const wrong of ['fast', 'cudnn-fast']) {
      expect(() => {
        expectTrue(kind, 'f32', 0, { OSTRICH_RECURRENCES: wrong })
      }).toThrow(`OSTRICH_RECURRENCES: expected one of own, cudnn, cudnn-double; got ${wrong}`)
    }
  })

  it('is timed beside our own kernels, and the choice is kept', () => {
    const kind = { cell: 'lstm', layers: 2, chained: true } as const
    const asked = join(cache, 'asked')
    const settings = { OSTRICH_RECURRENCES: '', OSTRICH_DOUBLE_CONVS: asked }
    const byTime = () => said(graphOf(kind), given(kind), 'f32', settings).explain
    byTime()
    const plans = join(cache, 'ostrich/plans')
    const file = join(
      plans,
      readdirSync(plans).find((name) => name.includes('recurrent'))!,
    )
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    const keys = [usual.features, usual.units].map((d) => `lstm t5 n4 d${d} h8 f32 training`)
    expect(lines.map((line) => line.split('\t')[0])).toEqual(keys)
    for (const line of lines) expect(line).toMatch(/\t(own kernels|cudnn-double)$/)
    // Once for the program, and once for the layer that is timed alone.
    const times = readFileSync(asked, 'utf8').trim().split('\n')
    for (const key of keys) expect(times.filter((one) => one === key).length).toBeGreaterThanOrEqual(2)
    writeFileSync(file, `${keys[0]}\town kernels\n${keys[1]}\tcudnn-double\n`)
    rmSync(asked)
    expect(byCudnn(byTime())).toBe(2)
    // Where our own kernels were chosen, cuDNN is not asked again.
    expect(new Set(readFileSync(asked, 'utf8').trim().split('\n'))).toEqual(new Set([keys[1]]))
  })
})
