// What PyTorch computes of a whole network in float64, the same step of ours in a graph and on a device, and how close they are.
import { expect } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { count, read, type Shape, type Tensor, variablesRead } from '../../lib/graph/index.js'
import { openDevice } from '../../lib/runtime/index.js'
import { type Built, Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'
import type { NDArray } from './ndarray.js'
import { pattern } from './pattern.js'

/** One step of a network; of each gradient its norm, its product with a pattern, and its first elements. */
export interface ModelGolden {
  readonly loss: number
  readonly logits: readonly number[]
  readonly gradients: Readonly<Record<string, { norm: number; along: number; first: readonly number[] }>>
}

/** A path without the name of the network that it begins with. */
export const within = (path: string): string => path.split('/').slice(1).join('/')

/** As in make_models.py: labels of images. */
export const labels = (batch: number, classes: number): number[] =>
  Array.from({ length: batch }, (_, i) => (i * 7) % classes)

/** As in make_models.py: He's variance for weights, 1 for others. */
export const spreadOf = (path: string, shape: Shape): number =>
  path.endsWith('/w') ? Math.sqrt(24 / count(shape.slice(1))) : 1

/** While a network is traced: loss, logits, and the gradient of each parameter that was read, by what its path is called. */
export function stepOf(
  logits: Tensor,
  loss: Tensor,
  called: (path: string) => string,
): Readonly<Record<string, Tensor>> {
  const parameters = variablesRead().filter(({ role }) => role === 'parameter')
  const values = parameters.map((variable) => read(variable))
  const gradients = grad(loss, values)
  return { loss, logits, ...Object.fromEntries(values.map(({ node }, i) => [called(node.path), gradients[i]!])) }
}

/** Fetches of the interpreter, as numbers. */
export function numbersOf(fetches: Readonly<Record<string, NDArray>>): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(fetches).map(([name, { data }]) => [name, data]))
}

/** Arrays for what a program fetches. */
export function roomFor({ fetches }: Pick<Built, 'fetches'>): Record<string, Float32Array> {
  return Object.fromEntries(fetches.map(({ name, shape }) => [name, new Float32Array(count(shape))]))
}

/** Builds and runs programs on a device of its own. */
export async function onDevice(
  backend: string,
  work: (programs: Programs, store: StateStore) => Promise<void>,
): Promise<void> {
  const device = await openDevice({ device: backend as 'cpu', threads: 2 })
  try {
    const store = new StateStore(device)
    const programs = new Programs(device, store, 1)
    await work(programs, store)
    programs.dispose()
    store.dispose()
  } finally {
    await device.dispose()
  }
}

function expectNear(got: number, wanted: number, tolerance: number, what: string): void {
  expect(Math.abs(got - wanted), `${what}: expected ${wanted}, got ${got}`).toBeLessThan(tolerance)
}

/** Compares with PyTorch; `relative` is of the norm of each gradient. */
export function compare(
  golden: ModelGolden,
  results: Readonly<Record<string, ArrayLike<number>>>,
  relative: number,
): void {
  expectNear(results['loss']![0]!, golden.loss, relative * golden.loss, 'loss')
  const largest = Math.max(...golden.logits.map(Math.abs))
  golden.logits.forEach((wanted, i) => {
    expectNear(results['logits']![i]!, wanted, relative * largest, `logit ${i}`)
  })
  const paths = Object.keys(golden.gradients)
  expect(Object.keys(results).filter((name) => name.includes('/'))).toEqual(paths)
  for (const [i, path] of paths.entries()) {
    const { norm, along, first } = golden.gradients[path]!
    const got = results[path]!
    const other = pattern(new Float64Array(got.length), 1000 + i)
    let [squares, product] = [0, 0]
    for (let j = 0; j < got.length; j++) {
      squares += got[j]! ** 2
      product += got[j]! * other[j]!
    }
    expectNear(Math.sqrt(squares), norm, relative * norm, `norm of ${path}`)
    // The pattern has variance 1/12 per element: what an error of `relative` in every element would add up to.
    expectNear(product, along, relative * norm, `${path} along a pattern`)
    // Single elements feel a maximum that rounding decides the other way.
    const most = Math.max(norm / Math.sqrt(got.length), ...first.map(Math.abs))
    first.forEach((wanted, j) => {
      expectNear(got[j]!, wanted, 10 * relative * most, `${path}[${j}]`)
    })
  }
}
