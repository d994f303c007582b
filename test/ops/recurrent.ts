// What the cases of recurrent networks share: sizes, both directions, sequences of several lengths, states to start from.
import type { Tensor } from '../../lib/graph/index.js'
import {
  apply,
  type Build,
  input,
  type Refusal,
  type Sample,
  type SampleInput,
  type Tolerance,
} from '../support/op-case.js'
import { exactly, uniform } from '../support/random.js'

export const tolerance: Tolerance = {
  f32: 2 ** -17,
  bf16: 2 ** -5,
  relativeTo: 'tensor',
  spreads: true,
  reason: 'sums of products go through the cells of all steps; in bf16 a backend may round the state at each of them',
}

/** T, N, H. */
export type Extents = readonly [number, number, number]
export const small: Extents = [4, 3, 5]

export const steps = ([t, n, h]: Extents, parts: number, scale = 1) =>
  input('float', [t, n, parts * h], uniform(-scale, scale))
export const wide = ([t, n, h]: Extents) => input('f32', [t, n, h], uniform(-1, 1))
export const weights = ([, , h]: Extents, parts: number) => input('float', [h, parts * h], uniform(-0.5, 0.5))
export const state = ([, n, h]: Extents) => input('float', [n, h], uniform(-1, 1))
export const wideState = ([, n, h]: Extents) => input('f32', [n, h], uniform(-1, 1))

/** Streams of T, T - 2, 1, T, ... steps. */
export const lengths = ([t, n]: Extents): SampleInput => {
  const lengthOf = (stream: number) => [t, Math.max(1, t - 2), 1][stream % 3]!
  const mask = Array.from({ length: t * n }, (_, i) => Number(Math.floor(i / n) < lengthOf(i % n)))
  return input('u8', [t, n], exactly(...mask))
}

export const types = (dtype: string, ...shape: number[]) => `${dtype}[${shape.join(', ')}]`

interface Variation {
  readonly name: string
  readonly extents: Extents
  readonly attrs?: Readonly<Record<string, boolean | string>>
  readonly mask?: boolean
  readonly large?: boolean
  /** What ops that have it are called, from the start. */
  readonly only?: string
}

export const variations: readonly Variation[] = [
  { name: 'some steps', extents: small },
  { name: 'reversed', extents: small, attrs: { reverse: true } },
  { name: 'sequences of several lengths', extents: small, mask: true },
  { name: 'reversed, of several lengths', extents: small, attrs: { reverse: true }, mask: true },
  { name: 'one step', extents: [1, 2, 3] },
  { name: 'one unit', extents: [3, 2, 1] },
  { name: 'units of several blocks', extents: [3, 7, 37], large: true },
  { name: 'work for two threads', extents: [3, 20, 72], large: true },
  // Products that leave the panels for a library's where the machine multiplies bf16.
  { name: 'many units', extents: [2, 20, 136], large: true },
  // The same in f32, with AVX-512: weights that no cache holds.
  { name: 'weights of 16 MiB', extents: [2, 1, 1024], large: true, only: 'lstm' },
]

/** One sample for each variation; `outputs` of them are those that have a gradient. */
export function samplesOf(
  name: string,
  inputs: (extents: Extents) => readonly SampleInput[],
  outputs: (extents: Extents) => readonly string[],
  given: Readonly<Record<string, boolean | string>>,
  { differentiable }: { readonly differentiable?: number } = {},
): Sample[] {
  const own = variations.filter(({ only = '' }) => name.startsWith(only))
  return own.flatMap(({ name: what, extents, attrs = {}, mask = false, large = false }) => {
    const all = apply(name, { ...given, ...attrs })
    const operands = [...inputs(extents), ...(mask ? [lengths(extents)] : [])]
    const sample = (label: string, build: Build, types: readonly string[]): Sample => ({
      name: label,
      inputs: operands,
      build,
      outputs: types,
    })
    const count = differentiable ?? 0
    const some: Build = (...tensors) => (all(...tensors) as readonly Tensor[]).slice(0, count)
    const noGradient = count === 0 ? 'a gradient, which is a kernel of its own' : 'some outputs are reserved for it'
    return [
      { ...sample(what, all, outputs(extents)), noGradient },
      ...(large || count === 0
        ? []
        : [
            {
              ...sample(`${what}, what has a gradient`, some, outputs(extents).slice(0, count)),
              noSecondGradient: 'the gradient is a kernel of its own, without one',
            },
          ]),
    ]
  })
}

export type Shapes = readonly (readonly [dtype: 'f32' | 'bf16' | 'u8', ...shape: number[]])[]
export const refuses = (build: Build, shapes: Shapes, message: RegExp): Refusal => ({
  inputs: shapes.map(([dtype, ...shape]) => ({ dtype, shape })),
  build,
  message,
})

/** What an op of one output has. */
export const oneSize = ([t, n, h]: Extents) => [types('float', t, n, h)]

export const forwards = { reverse: false }

export const lstmInputs = (of: Extents) => [steps(of, 4, 2), weights(of, 4), state(of), wideState(of)]
export const rnnInputs = (of: Extents) => [steps(of, 1, 2), weights(of, 1), state(of)]
export const gruInputs = (of: Extents) => [
  steps(of, 3, 2),
  weights(of, 3),
  state(of),
  input('f32', [3 * of[2]], uniform(-1, 1)),
]
