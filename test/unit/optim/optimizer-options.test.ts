// What options of optimisers do, and what they refuse.
import { describe, expect, test } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import { compileGraph } from '../../../lib/compile/index.js'
import { constant, feed, read, trace, Variable } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { Groups } from '../../../lib/optim/groups.js'
import * as optim from '../../../lib/optim/index.js'
import { interpret } from '../../support/interpreter.js'
import { type NDArray, ndarray } from '../../support/ndarray.js'
import {
  bowls,
  expectClose,
  expectedTrajectory,
  type Memory,
  type Name,
  sgdRule,
  slope,
  steps,
  trainingGraph,
  trajectory,
  trajectoryStates,
} from './support.js'

const zeros = () => constant('f32', [2], 0)

describe('options', () => {
  test('clipping scales all gradients by one factor', () => {
    const norm = (gradients: readonly number[]) => Math.hypot(...gradients)
    const factor = (gradients: readonly number[]) => Math.min(1, 2 / (norm(gradients) + 1e-6))
    const rule = sgdRule(0.1, 0.9, 0)
    const wanted = expectedTrajectory(steps, rule, factor)
    expectClose(trajectory(optim.sgd({ rate: 0.1, momentum: 0.9, clipNorm: 2 }), steps), wanted)
    // Both sides of the limit are met.
    expect(wanted).not.toEqual(expectedTrajectory(steps, rule, (gradients) => 2 / norm(gradients)))
    expect(wanted).not.toEqual(expectedTrajectory(steps, rule))
  })

  test('decay and rate of single parameters', () => {
    const optimizer = optim.sgd({
      rate: 0.1,
      weightDecay: 0.5,
      groups: [{ match: ({ variable }) => variable.shape.length === 1, weightDecay: 0, rateFactor: 2 }],
    })
    const rule = (w: number, g: number, _memory: Memory, _t: number, name: Name) =>
      name === 'w' ? w - 0.1 * (g + 0.5 * w) : w - 0.2 * g
    expectClose(trajectory(optimizer, steps), expectedTrajectory(steps, rule))
  })

  test('of several groups the last decides, option by option', () => {
    const groups = [
      { match: '**', weightDecay: 0.1, rateFactor: 3 },
      { match: 'w', weightDecay: 0.5 },
      { match: '*', rateFactor: 1 },
    ]
    const rule = (w: number, g: number, _memory: Memory, _t: number, name: Name) =>
      w - 0.1 * (g + (name === 'w' ? 0.5 : 0.1) * w)
    expectClose(trajectory(optim.sgd({ rate: 0.1, groups }), steps), expectedTrajectory(steps, rule))
  })

  test('a frozen parameter keeps its values, has no moment, and no part in the norm', () => {
    const optimizer = optim.sgd({ rate: 0.1, momentum: 0.9, clipNorm: 2, groups: [{ match: 'w', frozen: true }] })
    const own = (gradients: readonly number[]) => Math.min(1, 2 / (Math.hypot(...gradients.slice(4)) + 1e-6))
    const momentum = sgdRule(0.1, 0.9, 0)
    const rule = (w: number, g: number, memory: Memory, _t: number, name: Name) =>
      name === 'w' ? w : momentum(w, g, memory)
    expectClose(trajectory(optimizer, steps), expectedTrajectory(steps, rule, own))
    const { graph } = compileGraph(trainingGraph(optimizer), { precision: 'f32' })
    const names = graph.states.map(({ name }) => name)
    expect(names).toContain('b.momentum')
    expect(names).not.toContain('w.momentum')
    expect(graph.assigns.map(({ state }) => state.node.path).sort()).toEqual(['b', 'b.momentum', 'step'])
  })

  test.each([
    ['wheel/**', "optim.sgd[groups][0]: expected a pattern of a parameter's path, got wheel/**; the nearest is w"],
    ['bb', 'got bb; the nearest is b'],
  ])('a pattern that no parameter meets, %s, is refused', (match, words) => {
    expect(() => trainingGraph(optim.sgd({ rate: 1, groups: [{ match, rateFactor: 2 }] }))).toThrow(words)
  })

  test('patterns stand for whole paths', () => {
    const [one, path] = [
      new Variable({ label: 'w', dtype: 'f32', shape: [2], role: 'parameter', init: zeros }),
      'net/encoder/fc1/w',
    ]
    const chosen = (match: string) =>
      new Groups('sgd', [{ match, frozen: true }]).of({ variable: one, path }).frozen === true
    for (const match of [
      '**',
      'net/**',
      '**/w',
      'net/*/fc*/w',
      '**/encoder/**',
      'net/encoder/fc1/w',
      'net/**/encoder/**/w',
    ]) {
      expect(chosen(match), match).toBe(true)
    }
    for (const match of ['*', 'net/*', 'encoder/**', 'w', 'net/encoder/fc1/w/**', '**/fc', 'net.encoder.fc1.w']) {
      expect(chosen(match), match).toBe(false)
    }
  })

  test('the norm of each output unit is held below a limit', () => {
    const rows = trajectory(optim.sgd({ rate: 0.1, groups: [{ match: 'w', maxNorm: 0.6 }] }), steps)
    const plain = sgdRule(0.1, 0, 0)
    let w = [...bowls.w.start]
    for (const row of rows) {
      const moved = w.map((value, i) => plain(value, slope('w', w)[i]!, {}))
      const factors = [0, 2].map((i) => Math.min(1, 0.6 / Math.hypot(moved[i]!, moved[i + 1]!)))
      w = moved.map((value, i) => value * factors[Math.floor(i / 2)]!)
      w.forEach((value, i) => {
        expect(row[i]).toBeCloseTo(value, 12)
      })
    }
    // Vectors are no output units.
    const biases = trajectory(optim.sgd({ rate: 0.1, groups: [{ match: 'b', maxNorm: 1e-3 }] }), steps)
    expectClose(biases, expectedTrajectory(steps, plain))
  })

  test('the mean gradient of several batches is one update, which moments, averages and schedules count', () => {
    const options = { weightDecay: 0.1, clipNorm: 2, average: { decay: 0.5 } }
    const rate = optim.stepDecay(0.1, { every: 3, factor: 0.5 })
    const plain = trajectory(optim.adam({ ...options, rate }), 4)
    const summed = trajectory(optim.adam({ ...options, rate, accumulate: 3 }), 14)
    const start = [...bowls.w.start, ...bowls.b.start]
    const expected = summed.map((_, i) => (i < 2 ? start : plain[Math.floor((i - 2) / 3)]!))
    expectClose(summed, expected)
  })

  test('three batches of two are one of six', () => {
    const w = new Variable({ label: 'w', dtype: 'f32', shape: [2], role: 'parameter', init: zeros })
    const data = [0.5, -1, 2, 0.25, 3, 1]
    const trained = (size: number, accumulate: number) => {
      const made = optim.sgd({ rate: 0.1, momentum: 0.9, accumulate })
      const graph = trace({ name: 'train' }, () => {
        const loss = ops.mean(ops.square(ops.sub(read(w), feed('x', 'f32', [size, 1]))))
        made.update([{ variable: w, gradient: grad(loss, read(w)) }], constant('i32', [], 0))
        return {}
      })
      let states: Record<string, NDArray> = { w: ndarray([2], [1, -2]) }
      for (let at = 0; at < data.length; at += size) {
        states = interpret(graph, { x: ndarray([size, 1], data.slice(at, at + size)) }, states).states
      }
      return [...states['w']!.data]
    }
    trained(2, 3).forEach((value, i) => {
      expect(value).toBeCloseTo(trained(6, 1)[i]!, 12)
    })
    expect(trained(2, 1)[0]).not.toBeCloseTo(trained(6, 1)[0]!, 3)
  })

  test('an exponential average begins with the first value, and changes places with it', () => {
    const optimizer = optim.sgd({ rate: 0.1, average: { decay: 0.8 } })
    const { variables, states } = trajectoryStates(optimizer, 5)
    const rows = trajectory(optim.sgd({ rate: 0.1 }), 5)
    const averages = rows.reduce<number[] | undefined>(
      (average, row) => average?.map((value, i) => 0.8 * value + 0.2 * row[i]!) ?? row,
      undefined,
    )!
    const exchange = (given: Record<string, NDArray>) =>
      interpret(
        trace({ name: 'exchange' }, () => {
          optimizer.averaging!.exchange(variables)
          return { begun: optimizer.averaging!.measured(feed('loss', 'f32', [])) }
        }),
        { loss: ndarray([], [1]) },
        given,
      )
    const after = exchange(states)
    expect(after.fetches['begun']!.data[0]).toBe(1)
    for (const [name, from] of [
      ['w', 0],
      ['b', 4],
    ] as const) {
      after.states[name]!.data.forEach((value, i) => {
        expect(value).toBeCloseTo(averages[from + i]!, 12)
      })
      expect(after.states[`${name}.average`]!.data).toEqual(states[name]!.data)
    }
    // Before the first step there is none.
    const before = exchange({ ...states, step: ndarray([], [0]) })
    expect(before.fetches['begun']!.data[0]).toBe(0)
    expect(before.states['w']!.data).toEqual(states['w']!.data)
  })

  test('a schedule sees the step', () => {
    const rate = optim.stepDecay(0.1, { every: 3, factor: 0.5 })
    const rule = (w: number, g: number, _memory: Memory, t: number) => w - 0.1 * 0.5 ** Math.floor((t - 1) / 3) * g
    expectClose(trajectory(optim.sgd({ rate }), steps), expectedTrajectory(steps, rule))
  })

  test('a schedule of the factor goes with the step', () => {
    const factor = optim.stepDecay(2, { every: 2, factor: 0.25 })
    const groups = [{ match: 'b', rateFactor: factor }]
    const rule = (w: number, g: number, _memory: Memory, t: number, name: Name) =>
      w - 0.1 * (name === 'b' ? 2 * 0.25 ** Math.floor((t - 1) / 2) : 1) * g
    expectClose(trajectory(optim.sgd({ rate: 0.1, groups }), steps), expectedTrajectory(steps, rule))
  })

  test('the rate within the velocity: what was gathered before the fall stays as large', () => {
    const rateOf = (t: number) => 0.1 * 0.1 ** Math.floor((t - 1) / 3)
    const rate = optim.stepDecay(0.1, { every: 3, factor: 0.1 })
    const rule = (w: number, g: number, memory: Memory, t: number) => {
      memory['v'] = 0.9 * (memory['v'] ?? 0) + rateOf(t) * (g + 0.01 * w)
      return w - memory['v']
    }
    const options = { rate, momentum: 0.9, weightDecay: 0.01, rateInVelocity: true }
    expectClose(trajectory(optim.sgd(options), steps), expectedTrajectory(steps, rule))
    const outside = trajectory(optim.sgd({ ...options, rateInVelocity: false }), steps)
    expect(trajectory(optim.sgd(options), steps)).not.toEqual(outside)
  })

  test('the velocity stays within a bound', () => {
    const rate = 0.1
    const rule = (w: number, g: number, memory: Memory) => {
      memory['v'] = Math.max(-0.01, Math.min(0.01, 0.9 * (memory['v'] ?? 0) + rate * g))
      return w - memory['v']
    }
    const options = { rate, momentum: 0.9, rateInVelocity: true, mostStep: 0.01 }
    expectClose(trajectory(optim.sgd(options), steps), expectedTrajectory(steps, rule))
    expect(() => optim.sgd({ rate: 1, mostStep: 1 })).toThrow('expected a momentum and rateInVelocity with mostStep')
  })

  test('what is out of range is refused by name', () => {
    expect(() => optim.sgd({ rate: -1 })).toThrow('sgd: expected rate to be a number of at least 0, got -1')
    expect(() => optim.sgd({ rate: 1, momentum: 1 })).toThrow('momentum to be a number from 0 to below 1, got 1')
    expect(() => optim.sgd({ rate: 1, nesterov: true })).toThrow('expected a momentum with nesterov')
    expect(() => optim.adam({ rate: NaN })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    expect(() => optim.stepDecay(-1, { every: 1, factor: 1 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    expect(() => optim.sgd({ rate: 1, accumulate: 0 })).toThrow('optim.sgd[accumulate]')
    expect(() => optim.sgd({ rate: 1, average: { patience: 1, decay: 0.5 } })).toThrow('expected patience or decay')
    expect(() => optim.sgd({ rate: 1, average: { decay: 1 } })).toThrow('decay to be a number between 0 and 1')
    expect(() => optim.sgd({ rate: 1, groups: [{ match: 'w', maxNorm: 0 }] })).toThrow('maxNorm')
    expect(() => optim.sgd({ rate: 1, groups: [{ match: 'w', freeze: true } as never] })).toThrow(
      'did you mean frozen?',
    )
    expect(() => optim.adamW({ rate: 1, decay: 'l2' } as never)).toThrow('optim.adamW')
    expect(() => optim.rmsprop({ rate: 1, smoothing: 2 })).toThrow('smoothing')
    expect(() => optim.sgd({ rate: 1, clipNorm: 0 })).toThrow('clipNorm')
  })
})
