// Running sums, over one axis and several.
import { at, fill, type NDArray } from '../support/ndarray.js'
import { accumulation, apply, input, type OpCase, opCase, type Sample } from '../support/op-case.js'
import { uniform } from '../support/random.js'

/** Sum of a row's elements from `first` to `last`. */
function between(x: NDArray, row: readonly number[], first: number, last: number): number {
  let sum = 0
  for (let i = first; i <= last; i++) sum += at(x, ...row, i)
  return sum
}

function casesOf(name: string, reach: (i: number, last: number) => readonly [number, number]): OpCase {
  const sample = (what: string, shape: number[], extra: Partial<Sample> = {}): Sample => ({
    name: what,
    inputs: [input('float', shape, uniform())],
    build: apply(name),
    outputs: [`float[${shape.join(', ')}]`],
    ...extra,
  })
  return opCase({
    name,
    reference: ([x]) => [
      fill(x!.shape, (index) => between(x!, index.slice(0, -1), ...reach(index.at(-1)!, x!.shape.at(-1)! - 1))),
    ],
    samples: [
      sample('a vector', [7]),
      sample('three axes', [2, 3, 4]),
      sample('rows for two threads', [90, 700], { noGradient: 'as of the small ones' }),
    ],
    refusals: [
      { inputs: [{ dtype: 'i32', shape: [3] }], build: apply(name), message: /expected x of f32 or bf16/ },
      { inputs: [{ dtype: 'f32', shape: [] }], build: apply(name), message: /expected x with at least one axis/ },
    ],
    tolerance: accumulation,
  })
}

export const cumsumCases: readonly OpCase[] = [
  casesOf('cumsum', (i) => [0, i]),
  casesOf('cumsumGrad', (i, last) => [i, last]),
]
