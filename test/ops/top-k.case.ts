// The largest elements: ties, several axes, long rows.
import { at, fill, type NDArray } from '../support/ndarray.js'
import { apply, exact, input, type OpCase, opCase, type Sample } from '../support/op-case.js'
import { distinct, exactly, integers } from '../support/random.js'

/** Positions of a row's elements, from the largest down, lower ones first among equals. */
function order(x: NDArray, row: readonly number[]): number[] {
  const positions = Array.from({ length: x.shape.at(-1)! }, (_, i) => i)
  return positions.sort((a, b) => at(x, ...row, b) - at(x, ...row, a) || a - b)
}

const sample = (name: string, shape: number[], k: number, extra: Partial<Sample> = {}): Sample => {
  const extents = [...shape.slice(0, -1), k].join(', ')
  return {
    name,
    inputs: [input('float', shape, distinct)],
    build: apply('topK', { k }),
    outputs: [`float[${extents}]`, `i32[${extents}]`],
    ...extra,
  }
}

const refusal = (shape: number[], k: number, message: RegExp) => ({
  inputs: [{ dtype: 'f32', shape } as const],
  build: apply('topK', { k }),
  message,
})

const topK = opCase<{ readonly k: number }>({
  name: 'topK',
  reference: ([x], _attrs, [output]) => {
    const place = (index: readonly number[]) => order(x!, index.slice(0, -1))[index.at(-1)!]!
    return [fill(output!.shape, (index) => at(x!, ...index.slice(0, -1), place(index))), fill(output!.shape, place)]
  },
  samples: [
    sample('rows', [3, 7], 2),
    sample('all of a vector', [5], 5),
    sample('three axes', [2, 3, 4], 1),
    sample('equal ones', [2, 4], 3, {
      inputs: [input('float', [2, 4], exactly(1, 3, 1, 3, -0.5, -2, -2, -0.5))],
      noGradient: 'not differentiable at a tie',
    }),
    sample('rows for two threads, with ties', [6, 3000], 9, {
      inputs: [input('float', [6, 3000], integers(-200, 201))],
      noGradient: 'as of the small ones, and not differentiable at a tie',
    }),
  ],
  refusals: [
    refusal([3, 4], 5, /expected k from 1 to 4, got 5/),
    refusal([3, 4], 0, /expected k from 1 to 4, got 0/),
    refusal([], 1, /expected x with at least one axis, got \[\]/),
    { inputs: [{ dtype: 'i32', shape: [3] }], build: apply('topK', { k: 1 }), message: /expected x of f32 or bf16/ },
  ],
  tolerance: exact,
})

export const topKCases: readonly OpCase[] = [topK]
