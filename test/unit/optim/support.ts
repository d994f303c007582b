// Trains two small parameters in float64: the traced update evaluated step after step by the interpreter.
import { expect } from 'vitest'
import { grad } from '../../../lib/autodiff/index.js'
import {
  assign,
  constant,
  type Graph,
  read,
  type Shape,
  type Tensor,
  trace,
  Variable,
} from '../../../lib/graph/index.js'
import type { Optimizer } from '../../../lib/optim/index.js'
import { add, mul, step, sub, sum } from '../../../lib/ops/index.js'
import { interpret } from '../../support/interpreter.js'
import { type NDArray, ndarray } from '../../support/ndarray.js'

/** One parameter and its loss sum(curve (w - goal)^2) / 2, so that dL/dw = curve (w - goal). */
export interface Bowl {
  readonly start: readonly number[]
  readonly goal: readonly number[]
  readonly curve: readonly number[]
}

export const bowls = {
  w: { start: [0.5, -1.25, 2, 0.1], goal: [1, 0.5, -0.3, 0.1], curve: [1, 0.2, 3, 0.7] },
  b: { start: [-0.75, 0.3], goal: [0.4, -2], curve: [0.05, 1.5] },
} satisfies Record<string, Bowl>

export type Name = keyof typeof bowls

/** Gradient at `values`, by hand. */
export function slope(name: Name, values: readonly number[]): number[] {
  const { goal, curve } = bowls[name]
  return values.map((value, i) => curve[i]! * (value - goal[i]!))
}

const shapes = { w: [2, 2], b: [2] } as const

function bowlLoss(x: Tensor, { goal, curve }: Bowl): Tensor<'f32', []> {
  const away = sub(x, constant('f32', x.shape, goal))
  return mul(sum(mul(mul(away, away), constant('f32', x.shape, curve))), 0.5) as Tensor<'f32', []>
}

/** The training graph of both parameters; counts `step` up as a session does. */
export function trainingGraph(optimizer: Optimizer): Graph {
  const variable = (label: Name) => {
    const shape: Shape = shapes[label]
    return new Variable({ label, dtype: 'f32', shape, role: 'parameter', init: () => constant('f32', shape, 0) })
  }
  const [w, b] = [variable('w'), variable('b')]
  return trace({ name: 'train', mode: 'train' }, () => {
    const [x, y, count] = [read(w), read(b), read(step)]
    const loss = add(bowlLoss(x, bowls.w), bowlLoss(y, bowls.b))
    const gradients = grad(loss, { x, y })
    const updates = [
      { variable: w, gradient: gradients.x },
      { variable: b, gradient: gradients.y },
    ]
    optimizer.update(updates, count)
    assign(step, add(count, 1))
    return { loss, rate: optimizer.rate(count) }
  })
}

/** All states after so many steps, and the two parameters. */
export function trajectoryStates(
  optimizer: Optimizer,
  steps: number,
): { readonly variables: readonly Variable[]; readonly states: Record<string, NDArray> } {
  const graph = trainingGraph(optimizer)
  let states: Record<string, NDArray> = { w: ndarray([2, 2], bowls.w.start), b: ndarray([2], bowls.b.start) }
  for (let t = 0; t < steps; t++) states = interpret(graph, {}, states).states
  const variables = graph.states.filter(({ variable }) => variable.role === 'parameter').map(({ variable }) => variable)
  return { variables, states }
}

/** Values of w then b after each of `steps` steps. */
export function trajectory(optimizer: Optimizer, steps: number): number[][] {
  const graph = trainingGraph(optimizer)
  let states: Record<string, NDArray> = { w: ndarray([2, 2], bowls.w.start), b: ndarray([2], bowls.b.start) }
  return Array.from({ length: steps }, () => {
    states = interpret(graph, {}, states).states
    return [...states['w']!.data, ...states['b']!.data]
  })
}

/** The same by a rule for single numbers: `rule(w, g, memory, t)` gives the next w, t counts from 1. */
export function expectedTrajectory(
  steps: number,
  rule: (w: number, g: number, memory: Record<string, number>, t: number, name: Name) => number,
  factor: (gradients: readonly number[]) => number = () => 1,
): number[][] {
  const values: Record<Name, number[]> = { w: [...bowls.w.start], b: [...bowls.b.start] }
  const memories = Array.from({ length: 6 }, (): Record<string, number> => ({}))
  return Array.from({ length: steps }, (_, t) => {
    const gradients = { w: slope('w', values.w), b: slope('b', values.b) }
    const scale = factor([...gradients.w, ...gradients.b])
    const next = (name: Name, first: number) =>
      values[name].map((value, i) => rule(value, gradients[name][i]! * scale, memories[first + i]!, t + 1, name))
    values.w = next('w', 0)
    values.b = next('b', 4)
    return [...values.w, ...values.b]
  })
}

/** What a rule keeps of one element from step to step. */
export type Memory = Record<string, number>
export const steps = 12

/** Holds steps of several numbers to those that are wanted. */
export function expectClose(got: readonly number[][], wanted: readonly number[][]): void {
  expect(got).toHaveLength(wanted.length)
  got.forEach((row, t) => {
    row.forEach((value, i) => {
      expect(Math.abs(value - wanted[t]![i]!), `step ${t}, element ${i}`).toBeLessThan(1e-12)
    })
  })
}

/** Descent with momentum, as PyTorch's. */
export function sgdRule(rate: number, momentum: number, decay: number, nesterov = false) {
  return (w: number, gradient: number, memory: Memory) => {
    const g = gradient + decay * w
    // PyTorch's first buffer is the gradient itself.
    const v = memory['v'] === undefined ? g : momentum * memory['v'] + g
    memory['v'] = v
    return w - rate * (nesterov ? g + momentum * v : v)
  }
}
