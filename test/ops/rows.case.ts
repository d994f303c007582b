// Rows of a large table: the sums of a gradient's rows, and a table with rows replaced; indices repeat.
import type { Shape } from '../../lib/graph/index.js'
import { at, fill, indices, type NDArray } from '../support/ndarray.js'
import {
  accumulation,
  apply,
  exact,
  input,
  type OpCase,
  opCase,
  type Sample,
  type SampleInput,
} from '../support/op-case.js'
import { exactly, integers, uniform } from '../support/random.js'

const repeated = input('i32', [2, 3], exactly(0, 3, 3, 1, 0, 3))
const single = input('i32', [], exactly(2))
const distant = input('i32', [4], exactly(2e9, 7, 2e9, 2048))
const many = input('i32', [700], integers(0, 300))
const small = 'as of the small ones'

type Index = readonly number[]

/** The places of each row, in order. */
function placesOf(rows: NDArray): Map<number, Index[]> {
  const places = new Map<number, Index[]>()
  for (const place of indices(rows.shape)) {
    const row = at(rows, ...place)
    places.set(row, [...(places.get(row) ?? []), place])
  }
  return places
}

const sized = (shape: Shape): string => `float[${shape.join(', ')}]`

/** Rows of `width` numbers at an index into a table of so many rows. */
function coalesceSample(name: string, index: SampleInput, width: number, rows: number, noGradient?: string): Sample {
  const shape = [...index.shape, width]
  return {
    name,
    inputs: [index, input('float', shape, uniform())],
    build: apply('coalesce', { rows }),
    outputs: [sized(shape)],
    ...(noGradient === undefined ? {} : { noGradient }),
  }
}

function setRowsSample(name: string, table: Shape, index: SampleInput, noGradient?: string): Sample {
  return {
    name,
    inputs: [input('float', table, uniform()), index, input('float', [...index.shape, table[1] ?? 1], uniform())],
    build: apply('setRows'),
    outputs: [sized(table)],
    ...(noGradient === undefined ? {} : { noGradient }),
  }
}

export const rowsCases: readonly OpCase[] = [
  opCase({
    name: 'coalesce',
    noGolden: 'coalesce of PyTorch gives as many rows as there are different ones',
    reference: ([rows, updates]) => {
      const places = placesOf(rows!)
      return [
        fill(updates!.shape, (whole) => {
          const [place, column] = [whole.slice(0, -1), whole.at(-1)!]
          const same = places.get(at(rows!, ...place)) ?? []
          if (same.at(-1)?.join() !== place.join()) return 0
          return same.reduce((sum, one) => sum + at(updates!, ...one, column), 0)
        }),
      ]
    },
    samples: [
      coalesceSample('repeated rows', repeated, 5, 4),
      coalesceSample('one row', single, 3, 4),
      coalesceSample('of a table of two billion', distant, 2, 2 ** 31 - 1, 'a table of that size stands in it'),
      coalesceSample('rows for two threads', many, 70, 300, small),
    ],
    refusals: [
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [3, 5] },
        ],
        build: apply('coalesce', { rows: 4 }),
        message: /expected updates of \[2\] and one more axis, got \[3, 5\]/,
      },
      {
        inputs: [
          { dtype: 'f32', shape: [2] },
          { dtype: 'f32', shape: [2, 5] },
        ],
        build: apply('coalesce', { rows: 4 }),
        message: /expected an index of i32, got f32\[2\]/,
      },
      {
        inputs: [
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [2, 5] },
        ],
        build: apply('coalesce', { rows: 0 }),
        message: /expected rows of at least 1, got 0/,
      },
    ],
    tolerance: { ...accumulation, reason: 'a few rows are summed, in order; one rounding of the result' },
  }),
  opCase({
    name: 'setRows',
    noGolden: 'PyTorch leaves open which of several rows for one index counts',
    reference: ([table, rows, given]) => {
      const places = placesOf(rows!)
      return [
        fill(table!.shape, ([row = 0, column = 0]) => {
          const place = places.get(row)?.at(-1)
          return place ? at(given!, ...place, column) : at(table!, row, column)
        }),
      ]
    },
    samples: [
      setRowsSample('repeated rows', [4, 5], repeated),
      setRowsSample('one row', [4, 3], single),
      setRowsSample('rows of whole units', [300, 8], input('i32', [5], exactly(299, 0, 7, 7, 1)), small),
      setRowsSample('rows for two threads', [300, 70], many, small),
    ],
    refusals: [
      {
        inputs: [
          { dtype: 'f32', shape: [4] },
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [2, 5] },
        ],
        build: apply('setRows'),
        message: /expected a table with 2 axes, got \[4\]/,
      },
      {
        inputs: [
          { dtype: 'f32', shape: [4, 5] },
          { dtype: 'i32', shape: [2] },
          { dtype: 'bf16', shape: [2, 5] },
        ],
        build: apply('setRows'),
        message: /expected rows of f32, got bf16\[2, 5\]/,
      },
      {
        inputs: [
          { dtype: 'f32', shape: [4, 5] },
          { dtype: 'i32', shape: [2] },
          { dtype: 'f32', shape: [2, 3] },
        ],
        build: apply('setRows'),
        message: /expected rows of 5 numbers, as the table has, got 3/,
      },
    ],
    tolerance: exact,
  }),
]
