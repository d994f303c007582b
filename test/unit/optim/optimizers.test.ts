// Optimisers against the update rules of PyTorch's documentation, number by number, over steps in float64.
import { describe, expect, test } from 'vitest'
import { constant, ShapeError, trace, Variable } from '../../../lib/graph/index.js'
import * as optim from '../../../lib/optim/index.js'
import { expectedTrajectory, type Name, trainingGraph, trajectory } from './support.js'

type Memory = Record<string, number>
const steps = 12

function expectClose(got: readonly number[][], wanted: readonly number[][]): void {
  expect(got).toHaveLength(wanted.length)
  got.forEach((row, t) => {
    row.forEach((value, i) => {
      expect(Math.abs(value - wanted[t]![i]!), `step ${t}, element ${i}`).toBeLessThan(1e-12)
    })
  })
}

function sgdRule(rate: number, momentum: number, decay: number, nesterov = false) {
  return (w: number, gradient: number, memory: Memory) => {
    const g = gradient + decay * w
    // PyTorch's first buffer is the gradient itself.
    const v = memory['v'] === undefined ? g : momentum * memory['v'] + g
    memory['v'] = v
    return w - rate * (nesterov ? g + momentum * v : v)
  }
}

function rmspropRule(rate: number, alpha: number, momentum: number, epsilon: number, decay: number) {
  return (w: number, gradient: number, memory: Memory) => {
    const g = gradient + decay * w
    memory['s'] = alpha * (memory['s'] ?? 0) + (1 - alpha) * g * g
    memory['v'] = momentum * (memory['v'] ?? 0) + g / (Math.sqrt(memory['s']) + epsilon)
    return w - rate * memory['v']
  }
}

function adamRule(rate: number, decay: number, decoupled: boolean) {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8]
  return (w: number, gradient: number, memory: Memory, t: number) => {
    const g = decoupled ? gradient : gradient + decay * w
    const kept = decoupled ? w - rate * decay * w : w
    memory['m'] = beta1 * (memory['m'] ?? 0) + (1 - beta1) * g
    memory['s'] = beta2 * (memory['s'] ?? 0) + (1 - beta2) * g * g
    const mean = memory['m'] / (1 - beta1 ** t)
    const square = memory['s'] / (1 - beta2 ** t)
    return kept - (rate * mean) / (Math.sqrt(square) + epsilon)
  }
}

describe('rules', () => {
  test('plain descent', () => {
    expectClose(trajectory(optim.sgd({ rate: 0.1 }), steps), expectedTrajectory(steps, sgdRule(0.1, 0, 0)))
  })

  test('two steps of momentum by hand', () => {
    // b[1]: w = 0.3, g = 1.5 (0.3 + 2) = 3.45, v = 3.45, w = -0.045; g = 2.9325, v = 6.0375, w = -0.64875
    const rows = trajectory(optim.sgd({ rate: 0.1, momentum: 0.9 }), 2)
    expect(rows.map((row) => row[5])).toEqual([expect.closeTo(-0.045, 12), expect.closeTo(-0.64875, 12)])
  })

  test.each([false, true])('momentum and weight decay, nesterov %s', (nesterov) => {
    const options = { rate: 0.05, momentum: 0.9, weightDecay: 0.01, nesterov }
    expectClose(trajectory(optim.sgd(options), steps), expectedTrajectory(steps, sgdRule(0.05, 0.9, 0.01, nesterov)))
  })

  test.each([0, 0.8])('rmsprop, momentum %s', (momentum) => {
    const options = { rate: 0.02, smoothing: 0.9, momentum, epsilon: 1e-6, weightDecay: 0.1 }
    const rule = rmspropRule(0.02, 0.9, momentum, 1e-6, 0.1)
    expectClose(trajectory(optim.rmsprop(options), steps), expectedTrajectory(steps, rule))
  })

  test.each([false, true])('adam, decoupled %s', (decoupled) => {
    const options = { rate: 0.03, weightDecay: 0.2, decoupled }
    expectClose(trajectory(optim.adam(options), steps), expectedTrajectory(steps, adamRule(0.03, 0.2, decoupled)))
  })
})

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
      decays: ({ variable }) => variable.shape.length > 1,
      rateFactor: ({ path }) => (path === 'b' ? 2 : 1),
    })
    const rule = (w: number, g: number, _memory: Memory, _t: number, name: Name) =>
      name === 'w' ? w - 0.1 * (g + 0.5 * w) : w - 0.2 * g
    expectClose(trajectory(optimizer, steps), expectedTrajectory(steps, rule))
  })

  test('a decay for each parameter', () => {
    const weightDecay = ({ path }: optim.Chosen) => (path === 'w' ? 0.5 : 0.1)
    const rule = (w: number, g: number, _memory: Memory, _t: number, name: Name) =>
      w - 0.1 * (g + (name === 'w' ? 0.5 : 0.1) * w)
    expectClose(trajectory(optim.sgd({ rate: 0.1, weightDecay }), steps), expectedTrajectory(steps, rule))
  })

  test('a schedule sees the step', () => {
    const rate = optim.stepDecay(0.1, { every: 3, factor: 0.5 })
    const rule = (w: number, g: number, _memory: Memory, t: number) => w - 0.1 * 0.5 ** Math.floor((t - 1) / 3) * g
    expectClose(trajectory(optim.sgd({ rate }), steps), expectedTrajectory(steps, rule))
  })

  test('a schedule of the factor goes with the step', () => {
    const factor = optim.stepDecay(2, { every: 2, factor: 0.25 })
    const rateFactor = ({ path }: { readonly path: string }) => (path === 'b' ? factor : 1)
    const rule = (w: number, g: number, _memory: Memory, t: number, name: Name) =>
      w - 0.1 * (name === 'b' ? 2 * 0.25 ** Math.floor((t - 1) / 2) : 1) * g
    expectClose(trajectory(optim.sgd({ rate: 0.1, rateFactor }), steps), expectedTrajectory(steps, rule))
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

  test('what is out of range is refused by name', () => {
    expect(() => optim.sgd({ rate: -1 })).toThrow('sgd: expected rate to be a number of at least 0, got -1')
    expect(() => optim.sgd({ rate: 1, momentum: 1 })).toThrow('momentum to be a number from 0 to below 1, got 1')
    expect(() => optim.sgd({ rate: 1, nesterov: true })).toThrow('expected a momentum with nesterov')
    expect(() => optim.adam({ rate: NaN })).toThrow(ShapeError)
    expect(() => optim.rmsprop({ rate: 1, smoothing: 2 })).toThrow('smoothing')
    expect(() => optim.sgd({ rate: 1, clipNorm: 0 })).toThrow('clipNorm')
  })
})

describe('state', () => {
  test('moments lie beside their parameters and are statistics', () => {
    const { states } = trainingGraph(optim.adam({ rate: 0.1 }))
    const moments = states.filter(({ variable }) => variable.role === 'statistic').map(({ name }) => name)
    expect(moments.sort()).toEqual(['b.mean', 'b.square', 'step', 'w.mean', 'w.square'])
  })

  test('two traces of one optimiser share them', () => {
    const optimizer = optim.sgd({ rate: 0.1, momentum: 0.9 })
    const w = new Variable({
      label: 'w',
      dtype: 'f32',
      shape: [2],
      role: 'parameter',
      init: () => constant('f32', [2], 0),
    })
    const moment = () => {
      const { states } = trace({ name: 'train' }, () => {
        optimizer.update([{ variable: w, gradient: constant('f32', [2], 1) }], constant('i32', [], 0))
        return {}
      })
      return states.find(({ name }) => name === 'w.momentum')?.variable
    }
    expect(moment()).toBeDefined()
    expect(moment()).toBe(moment())
  })

  test('a gradient of another shape is refused', () => {
    const w = new Variable({
      label: 'w',
      dtype: 'f32',
      shape: [2],
      role: 'parameter',
      init: () => constant('f32', [2], 0),
    })
    const build = () => {
      optim.sgd({ rate: 1 }).update([{ variable: w, gradient: constant('f32', [3], 1) }], constant('i32', [], 0))
      return {}
    }
    expect(() => trace({ name: 'train' }, build)).toThrow(
      'sgd[w]: expected an f32 parameter and its gradient f32[2], got f32 and f32[3]',
    )
  })
})
