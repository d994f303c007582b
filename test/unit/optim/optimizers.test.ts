// Optimisers against the update rules of PyTorch's documentation, number by number, over steps in float64.
import { describe, expect, test } from 'vitest'
import { constant, trace, Variable } from '../../../lib/graph/index.js'
import * as optim from '../../../lib/optim/index.js'
import { expectClose, expectedTrajectory, type Memory, sgdRule, steps, trainingGraph, trajectory } from './support.js'

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
    const options = { rate: 0.03, weightDecay: 0.2 }
    const made = decoupled ? optim.adamW(options) : optim.adam(options)
    expectClose(trajectory(made, steps), expectedTrajectory(steps, adamRule(0.03, 0.2, decoupled)))
  })

  test('adamW decays by 0.01 where nothing is said', () => {
    const wanted = expectedTrajectory(steps, adamRule(0.03, 0.01, true))
    expectClose(trajectory(optim.adamW({ rate: 0.03 }), steps), wanted)
  })

  test('adagrad', () => {
    const rule = (w: number, gradient: number, memory: Memory) => {
      const g = gradient + 0.1 * w
      memory['s'] = (memory['s'] ?? 0) + g * g
      return w - (0.2 * g) / (Math.sqrt(memory['s']) + 1e-10)
    }
    const got = trajectory(optim.adagrad({ rate: 0.2, weightDecay: 0.1 }), steps)
    expectClose(got, expectedTrajectory(steps, rule))
  })

  test('momentum with decoupled decay', () => {
    const rule = (w: number, g: number, memory: Memory) => {
      memory['v'] = 0.9 * (memory['v'] ?? 0) + g
      return w * (1 - 0.1 * 0.3) - 0.1 * memory['v']
    }
    const options = { rate: 0.1, momentum: 0.9, weightDecay: 0.3, decay: 'decoupled' } as const
    expectClose(trajectory(optim.sgd(options), steps), expectedTrajectory(steps, rule))
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
