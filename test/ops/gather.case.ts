// Rows of a table by index, and their adjoint; indices repeat.
import { addAt, at, fill } from '../support/ndarray.js'
import { accumulation, apply, exact, input, type OpCase, opCase, type Sample } from '../support/op-case.js'
import { exactly, uniform } from '../support/random.js'

const index = input('i32', [2, 3], exactly(0, 3, 3, 1, 0, 3))
const column = input('i32', [], exactly(2))

const gatherSamples: Sample[] = [
  {
    name: 'a matrix of indices',
    inputs: [input('float', [4, 5], uniform()), index],
    build: apply('gather'),
    outputs: ['float[2, 3, 5]'],
  },
  {
    name: 'one index',
    inputs: [input('float', [4, 5], uniform()), column],
    build: apply('gather'),
    outputs: ['float[5]'],
  },
]

export const gatherCases: readonly OpCase[] = [
  opCase({
    name: 'gather',
    reference: ([table, rows], _attrs, [output]) => [
      fill(output!.shape, (place) => at(table!, at(rows!, ...place.slice(0, -1)), place.at(-1)!)),
    ],
    samples: gatherSamples,
    refusals: [
      {
        inputs: [
          { dtype: 'f32', shape: [4, 5] },
          { dtype: 'f32', shape: [2] },
        ],
        build: apply('gather'),
        message: /expected an index of i32, got f32\[2\]/,
      },
      {
        inputs: [
          { dtype: 'f32', shape: [4] },
          { dtype: 'i32', shape: [2] },
        ],
        build: apply('gather'),
        message: /expected a table with 2 axes, got \[4\]/,
      },
    ],
    tolerance: exact,
  }),
  opCase({
    name: 'scatterAdd',
    reference: ([rows, updates], _attrs, [output]) => {
      const table = fill(output!.shape, () => 0)
      fill(updates!.shape, (place) => {
        addAt(table, at(updates!, ...place), at(rows!, ...place.slice(0, -1)), place.at(-1)!)
        return 0
      })
      return [table]
    },
    samples: [
      {
        name: 'repeated rows',
        inputs: [index, input('float', [2, 3, 5], uniform())],
        build: apply('scatterAdd', { rows: 4 }),
        outputs: ['float[4, 5]'],
      },
    ],
    refusals: [
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [3, 5] },
        ],
        build: apply('scatterAdd', { rows: 4 }),
        message: /expected updates of \[2\] and one more axis, got \[3, 5\]/,
      },
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [2, 5] },
        ],
        build: apply('scatterAdd', { rows: 0 }),
        message: /expected rows of at least 1, got 0/,
      },
    ],
    tolerance: { ...accumulation, reason: 'at most four rows are summed, in order; one rounding of the result' },
  }),
]
