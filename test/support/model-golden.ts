// What PyTorch computes of a whole network in float64, and how close results are to it.
import { expect } from 'vitest'
import { pattern } from './pattern.js'

/** One step of a network; of each gradient its norm, its product with a pattern, and its first elements. */
export interface ModelGolden {
  readonly loss: number
  readonly logits: readonly number[]
  readonly gradients: Readonly<Record<string, { norm: number; along: number; first: readonly number[] }>>
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
