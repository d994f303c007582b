// Windows as rows and back, and the locally connected layer that is made of them.
import type { Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { addAt, at, fill, indices, isInside, type NDArray } from '../support/ndarray.js'
import { accumulation, apply, exact, input, type OpCase, opCase, type Sample } from '../support/op-case.js'
import { uniform } from '../support/random.js'

type Windows = {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
}

interface Layout {
  readonly name: string
  readonly x: number[]
  /** [OH, OW] */
  readonly places: number[]
  readonly attrs: Windows
}

const layouts: readonly Layout[] = [
  { name: 'plain', x: [2, 3, 4, 5], places: [3, 3], attrs: { kernel: [2, 3], stride: [1, 1], padding: [0, 0, 0, 0] } },
  { name: 'padded', x: [2, 2, 3, 3], places: [3, 3], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] } },
  {
    name: 'strided, with a row left over',
    x: [1, 2, 6, 5],
    places: [2, 2],
    attrs: { kernel: [3, 2], stride: [2, 3], padding: [0, 1, 0, 0] },
  },
  {
    name: 'windows apart, uneven padding',
    x: [1, 1, 5, 4],
    places: [2, 3],
    attrs: { kernel: [2, 1], stride: [3, 2], padding: [0, 0, 1, 2] },
  },
  {
    name: 'a window in the padding alone',
    x: [1, 1, 2, 2],
    places: [3, 3],
    attrs: { kernel: [2, 2], stride: [2, 2], padding: [2, 2, 2, 2] },
  },
]

/** More than one thread takes on alone. */
const large: Layout = {
  name: 'work for two threads',
  x: [5, 8, 10, 9],
  places: [8, 7],
  attrs: { kernel: [3, 3], stride: [1, 1], padding: [0, 0, 0, 0] },
}
const ofLarge = (layout: Layout) => (layout === large ? { noGradient: 'as of the small ones' } : {})

/** Where element [place, n, k] of the rows lies in an x of this width; outside it for padding. */
function source([place, n, k]: readonly number[], width: number, { kernel, stride, padding }: Windows): number[] {
  const taps = kernel[0]! * kernel[1]!
  const columns = Math.floor((width + padding[1]! + padding[3]! - kernel[1]!) / stride[1]!) + 1
  return [
    n!,
    Math.floor(k! / taps),
    Math.floor(place! / columns) * stride[0]! - padding[0]! + Math.floor((k! % taps) / kernel[1]!),
    (place! % columns) * stride[1]! - padding[1]! + ((k! % taps) % kernel[1]!),
  ]
}

const rowsOf = ({ x, places, attrs: { kernel } }: Layout) => [
  places[0]! * places[1]!,
  x[0]!,
  x[1]! * kernel[0]! * kernel[1]!,
]
const float = (shape: readonly number[]) => `float[${shape.join(', ')}]`

const unfold = opCase<Windows>({
  name: 'unfold',
  reference: ([x], attrs, [output]) => [fill(output!.shape, (index) => at(x!, ...source(index, x!.shape[3]!, attrs)))],
  samples: [...layouts, large].map((layout) => ({
    name: layout.name,
    inputs: [input('float', layout.x, uniform())],
    build: apply('unfold', layout.attrs),
    outputs: [float(rowsOf(layout))],
    ...ofLarge(layout),
  })),
  refusals: [
    {
      inputs: [{ dtype: 'f32', shape: [1, 1, 2, 2] }],
      build: apply('unfold', { kernel: [3, 1], stride: [1, 1], padding: [0, 0, 0, 0] }),
      message: /expected a window of at most 2 \(the padded extent\), got 3/,
    },
    {
      inputs: [{ dtype: 'f32', shape: [2, 2] }],
      build: apply('unfold', layouts[0]!.attrs),
      message: /expected x with 4 axes, got \[2, 2\]/,
    },
  ],
  tolerance: exact,
})

const fold = opCase<Windows & { readonly size: readonly number[] }>({
  name: 'fold',
  reference: ([rows], attrs, [output]) => {
    const x = fill(output!.shape, () => 0)
    for (const index of indices(rows!.shape)) {
      const place = source(index, x.shape[3]!, attrs)
      if (isInside(x, ...place)) addAt(x, at(rows!, ...index), ...place)
    }
    return [x]
  },
  samples: [...layouts, large].map((layout) => ({
    name: layout.name,
    inputs: [input('float', rowsOf(layout), uniform())],
    build: apply('fold', { ...layout.attrs, size: layout.x.slice(2) }),
    outputs: [float(layout.x)],
    ...ofLarge(layout),
  })),
  refusals: [
    {
      inputs: [{ dtype: 'f32', shape: [9, 2, 7] }],
      build: apply('fold', { kernel: [2, 2], stride: [1, 1], padding: [0, 0, 0, 0], size: [4, 4] }),
      message: /expected rows of shape \[9, 2, 4\], got \[9, 2, 7\]/,
    },
  ],
  tolerance: accumulation,
})

type Four = Tensor<'f32', [number, number, number, number]>

/** The definition: a product for each place, output channel and element of its window. */
function connected(layout: Layout, outputs: number): Sample['value'] {
  const [oh, ow] = layout.places as [number, number]
  const [, , elements] = rowsOf(layout) as [number, number, number]
  return (x: NDArray, w: NDArray) =>
    fill([layout.x[0]!, outputs, oh, ow], ([n, o, i, j]) => {
      const terms = Array.from({ length: elements }, (_, k) => {
        const place = source([i! * ow + j!, n!, k], layout.x[3]!, layout.attrs)
        return at(x, ...place) * at(w, i!, j!, o!, k)
      })
      return terms.reduce((sum, term) => sum + term, 0)
    })
}

const local2d = opCase({
  name: 'local2d',
  samples: layouts.slice(0, 3).map((layout) => {
    const { kernel, stride, padding } = layout.attrs
    const [top, left, bottom, right] = padding as [number, number, number, number]
    const options = {
      kernel: kernel as [number, number],
      stride: stride as [number, number],
      padding: [top, left, bottom, right] as const,
    }
    return {
      name: layout.name,
      inputs: [
        input('float', layout.x, uniform()),
        input('float', [...layout.places, 4, rowsOf(layout)[2]!], uniform()),
      ],
      build: (x: Tensor, w: Tensor) => ops.local2d(x as Four, w as Four, options),
      outputs: [float([layout.x[0]!, 4, ...layout.places])],
      value: connected(layout, 4)!,
    }
  }),
  refusals: [
    {
      inputs: [
        { dtype: 'f32', shape: [1, 2, 4, 4] },
        { dtype: 'f32', shape: [2, 2, 5, 17] },
      ],
      build: (x, w) => ops.local2d(x as Four, w as Four, { kernel: 3 }),
      message: /local2d: expected w \[2, 2, O, 18\], as x \[1, 2, 4, 4\], got \[2, 2, 5, 17\]/,
    },
  ],
  tolerance: accumulation,
})

export const unfoldCases: readonly OpCase[] = [unfold, fold, local2d]
