// Cells as values: the loop over time around them, with states of any extents that are carried from run to run, and the cells that come
// with the library.
import { describe, expect, test } from 'vitest'
import { feed, Names, read, type Shape, type Tensor, trace, type TraceMode } from '../../../lib/graph/index.js'
import * as nn from '../../../lib/nn/index.js'
import * as ops from '../../../lib/ops/index.js'
import { convolutionalReference, peepholeReference } from '../../support/cells.js'
import { difference } from '../../support/compare.js'
import { interpret } from '../../support/interpreter.js'
import { at, fill, indices, type NDArray, ndarray } from '../../support/ndarray.js'
import { evaluate, expectGradients, outputShape, paths, uneven, untyped } from './support.js'

const [steps, rows] = [4, 3]
const close = { tolerance: 1e-12, relativeTo: 'tensor' } as const
const features = uneven([steps, rows, 2])
const film = uneven([steps, rows, 2, 4, 3])
const lengths = ndarray([rows], [2, 4, 1])
const zeros = (...shape: number[]) => fill(shape, () => 0)

/** Uneven weights by the paths of a network. */
const weightsOf = (net: nn.Step, shape: Shape) =>
  Object.fromEntries(
    trace({ name: 'net', names: new Names() }, () => ({ y: untyped(net)(feed('x', 'f32', shape)) })).states.map(
      ({ name, tensor }, i) => [name, uneven(tensor.shape, i)],
    ),
  )

/** A user's cell: a leaky unit with a state of its own beside, of other extents than its output. */
function counting(options: nn.RecurrenceOptions = {}) {
  const u = nn.parameter('u', [2, 2], nn.init.glorotUniform, { in: 2, out: 2 })
  const gate = nn.linear(2, 1, { name: 'gate' })
  return nn.recurrent(
    {
      kind: 'counting',
      parameters: [u],
      children: [gate],
      states: ([width = 1]) => ({ h: [width], count: [] }),
      step: ([x], { h, count }) => {
        const product = ops.matmul<'f32', Shape, Shape>(h, read(u))
        const open = ops.sigmoid(gate(x as nn.Features<2>))
        const next = ops.tanh(ops.add<'f32', Shape, Shape>(x!, product))
        return {
          h: ops.add<'f32', Shape, Shape>(ops.mul<'f32', Shape, Shape>(open, next), h),
          count: ops.add(count, ops.reshape(open, [rows])),
        }
      },
    },
    options,
  )
}

const layers: readonly (readonly [string, (options: nn.RecurrenceOptions) => nn.AnyRecurrent, NDArray])[] = [
  ['a cell of a user', counting, features],
  ['mrnn', (options) => nn.mrnn({ inputs: 2, units: 3, factors: 4, ...options }), features],
  ['peepholeLstm', (options) => nn.peepholeLstm({ inputs: 2, units: 3, ...options }), features],
  ['convLstm2d', (options) => nn.convLstm2d(2, 2, { kernel: [3, 1], ...options }), film],
]
type Run = (x: Tensor, call?: nn.RecurrentCall) => nn.RecurrentRun

describe('values equal those of a loop over elements', () => {
  test.each([false, true])('peepholeLstm, reverse %s', (reverse) => {
    const net = nn.peepholeLstm({ inputs: 2, units: 5, reverse })
    const own = weightsOf(net, features.shape)
    const [w, u, b, p] = ['w', 'u', 'b', 'p'].map((name) => own[`peepholeLstm1/${name}`]!)
    const z = fill([steps, rows, 20], ([t, n, k]) => {
      return at(b!, k!) + at(features, t!, n!, 0) * at(w!, k!, 0) + at(features, t!, n!, 1) * at(w!, k!, 1)
    })
    const want = peepholeReference([z, u!, p!, zeros(rows, 5), zeros(rows, 5)], reverse)
    const got = evaluate({ x: features }, ({ x }) => ({ y: untyped(net)(x!) }), own)['y']!
    expect(difference(got, want, close)).toBeUndefined()
  })

  test('convLstm2d', () => {
    const net = nn.convLstm2d(2, 3, { kernel: [3, 1] })
    const own = weightsOf(net, film.shape)
    const [w, u, b] = ['w', 'u', 'b'].map((name) => own[`convLstm1/${name}`]!)
    const z = fill([steps, rows, 12, 4, 3], ([t, n, k, i, j]) =>
      indices([2, 3]).reduce(
        (sum, [c, r]) => sum + at(film, t!, n!, c!, i! + r! - 1, j!) * at(w!, k!, c!, r!, 0),
        at(b!, k!),
      ),
    )
    const want = convolutionalReference([z, u!, zeros(rows, 3, 4, 3), zeros(rows, 3, 4, 3)], false)
    const got = evaluate({ x: film }, ({ x }) => ({ y: untyped(net)(x!) }), own)['y']!
    expect(difference(got, want, close)).toBeUndefined()
  })
})

describe.each(layers)('%s', (_name, make, x) => {
  /** Runs it with the states that the last run left, as a program does. */
  const run = (
    net: nn.AnyRecurrent,
    mode: TraceMode,
    feeds: Record<string, NDArray>,
    before: Record<string, NDArray>,
  ) => {
    const graph = trace({ name: 'net', mode, names: new Names() }, () => {
      const given = feed('x', 'f32', feeds['x']!.shape)
      const call = () => ({ y: untyped(net)(given) })
      return feeds['fresh'] ? nn.withFreshStreams(feed('fresh', 'f32', [rows]), call) : call()
    })
    const states = Object.fromEntries(
      graph.states.map(({ name, variable, tensor }) => {
        const start =
          variable.role === 'parameter'
            ? uneven(tensor.shape, name.charCodeAt(name.length - 1))
            : fill(tensor.shape, () => 0)
        return [name, before[name] ?? start]
      }),
    )
    const result = interpret(graph, feeds, states)
    return { y: result.fetches['y']!, states: result.states }
  }
  const part = (all: NDArray, from: number, count: number) =>
    fill([count, ...all.shape.slice(1)], ([t, ...place]) => at(all, from + t!, ...place))
  const row = (all: NDArray, n: number) =>
    fill([all.shape[0]!, ...all.shape.slice(2)], ([t, ...place]) => at(all, t!, n, ...place))

  test('carries states of its extents: two halves are the whole, and a fresh row starts from zeros', () => {
    const net = make({ carry: true })
    const whole = run(make({}), 'train', { x }, {})
    const first = run(net, 'train', { x: part(x, 0, 2) }, {})
    const second = run(net, 'train', { x: part(x, 2, 2) }, first.states)
    expect(difference(first.y, part(whole.y, 0, 2), close)).toBeUndefined()
    expect(difference(second.y, part(whole.y, 2, 2), close)).toBeUndefined()
    const again = run(net, 'train', { x, fresh: ndarray([rows], [0, 1, 0]) }, second.states)
    expect(difference(row(again.y, 1), row(whole.y, 1), close)).toBeUndefined()
    expect(difference(row(again.y, 0), row(whole.y, 0), close)).toBeDefined()
    expect(() => make({ carry: true, reverse: true })).toThrow('expected no carry with reverse')
  })

  test.each([false, true])('has gradients through first states and lengths, reverse %s', (reverse) => {
    const net = make({ reverse })
    const all = net.run as unknown as Run
    let shapes: Record<string, Shape> = {}
    trace({ name: 'net' }, () => {
      const { last } = all(feed('x', 'f32', x.shape))
      shapes = Object.fromEntries(Object.entries(last).map(([name, { shape }]) => [name, shape]))
      return {}
    })
    const start = Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, uneven(shape, 4 + i)]))
    expectGradients({ x, ...start }, { lengths: { dtype: 'i32', value: lengths } }, ({ x, lengths, ...start }) => {
      const run = all(x!, { start: start as nn.States, lengths: lengths as Tensor<'i32'> })
      return [run.output, ...Object.values(run.last)]
    })
  })
})

test('a cell has a path, its parameters, and a place in a chain and a summary', () => {
  const net = nn.sequential(counting({ name: 'mine' }), nn.linear(2, 3))
  expect(paths(net, features.shape)).toEqual(['mine/u', 'mine/gate/w', 'mine/gate/b', 'linear1/w', 'linear1/b'])
  expect(net.parameters).toHaveLength(5)
  const summary = nn.summary(net, { x: features.shape })
  expect(summary.parameters).toBe(4 + 3 + 9)
  expect(summary.rows.map(({ path }) => path)).toContain('mine')
  const states = (net: nn.Step) =>
    trace({ name: 'net', mode: 'train' }, () => ({
      y: untyped(net)(feed('x', 'f32', net === images ? film.shape : features.shape)),
    }))
      .states.filter(({ variable }) => variable.role === 'statistic')
      .map(({ name }) => name)
  const images = nn.convLstm2d(2, 2, { kernel: 3, carry: true })
  expect(states(images)).toEqual(['convLstm1/h3x2x4x3', 'convLstm1/c3x2x4x3'])
  expect(states(counting({ carry: true }))).toEqual(['counting1/h3', 'counting1/count3'])
})

describe('refusals', () => {
  const one =
    (cell: Partial<nn.Cell>, shape: Shape = features.shape) =>
    () =>
      outputShape(nn.recurrent({ states: () => ({ h: [2] }), step: ([x]) => ({ h: x! }), ...cell }), shape)
  const cases: readonly [string, () => unknown, string][] = [
    [
      'a step of other states',
      one({ step: ([x]) => ({ g: x! }) }),
      'recurrent[recurrent1]: expected the step to have the states h, got g',
    ],
    [
      'a step that gives nothing',
      one({ step: () => undefined as never }),
      'recurrent[recurrent1]: step[states]: expected an object, got undefined',
    ],
    [
      'a state that changes its extents',
      one({ step: ([x]) => ({ h: ops.concat([x!, x!], 1) }) }),
      "recurrent[recurrent1]: expected the step's h to be f32[3, 2], got f32[3, 4]",
    ],
    [
      'a state of integers',
      one({ step: ([x]) => ({ h: ops.cast(x!, 'i32') as never }) }),
      "expected the step's h to be f32[3, 2], got i32[3, 2]",
    ],
    ['no state', one({ states: () => ({}) }), 'recurrent[recurrent1]: expected a cell of one state or more, got none'],
    [
      'inputs of other steps',
      one({ inputs: (x) => [ops.slice(x, [0, 0, 0], [2, 3, 2])] }),
      'recurrent[recurrent1]: expected inputs of f32[4, 3] and more axes, got f32[2, 3, 2]',
    ],
    ['an x without rows', one({}, [4]), 'recurrent[recurrent1]: expected x of f32[T, N, ...], got f32[4]'],
    [
      'no step',
      () => nn.recurrent({ states: () => ({ h: [2] }) } as never),
      'nn.recurrent[step]: expected a function, got undefined',
    ],
    [
      'another option',
      () => nn.recurrent({ states: () => ({ h: [2] }), step: ([x]) => ({ h: x! }) }, { reversed: true } as never),
      'got reversed (did you mean reverse?)',
    ],
    [
      'other features',
      () => outputShape(nn.peepholeLstm({ inputs: 3, units: 2 }), features.shape),
      'peepholeLstm[peepholeLstm1]: expected x of f32[T, N, 3], got f32[T, N, 2]',
    ],
    [
      'other channels',
      () => outputShape(nn.convLstm2d(1, 2, { kernel: 3 }), film.shape),
      'convLstm[convLstm1]: expected x of f32[T, N, 1, H, W], got f32[T, N, 2, 4, 3]',
    ],
    [
      'units below 1',
      () => nn.peepholeLstm({ inputs: 1, units: 0 }),
      'peepholeLstm: expected units to be an integer of at least 1, got 0',
    ],
  ]
  test.each(cases)('%s', (_name, attempt, message) => {
    expect(attempt).toThrow(message)
  })

  const backwards = { carry: true, reverse: true }
  const noCarry = 'expected no carry with reverse, whose last step is the first of a sequence, got both'
  const options: readonly [string, () => unknown, string][] = [
    ['lstm', () => nn.lstm({ units: 2, ...backwards }), `lstm: ${noCarry}`],
    ['mrnn', () => nn.mrnn({ inputs: 1, units: 2, ...backwards }), `mrnn: ${noCarry}`],
    ['peepholeLstm', () => nn.peepholeLstm({ inputs: 1, units: 2, ...backwards }), `peepholeLstm: ${noCarry}`],
    ['convLstm2d', () => nn.convLstm2d(1, 2, { kernel: 3, ...backwards }), `convLstm: ${noCarry}`],
    ['recurrent', () => counting(backwards), `counting: ${noCarry}`],
    ['an even kernel', () => nn.convLstm2d(1, 2, { kernel: [3, 4] }), 'convLstm2d: expected an odd kernel, got 4'],
  ]
  test.each(options)('of options are ERR_OPTION: %s', (_name, attempt, message) => {
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }))
  })
})
