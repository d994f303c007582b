// Convolution and its two gradients: stride, padding, dilation, groups, and windows that do not reach the last row.
import * as ops from '../../lib/ops/index.js'
import { addAt, at, fill, indices } from '../support/ndarray.js'
import {
  accumulation,
  apply,
  input,
  type OpCase,
  opCase,
  type Refusal,
  type Sample,
  type Tolerance,
} from '../support/op-case.js'
import { uniform } from '../support/random.js'
import { convolved, dense, forEachTap, type Geometry, type Layout, layouts, many } from './convolution.js'

const winograd: Tolerance = {
  ...accumulation,
  f32: 2 ** -16,
  reason: "Winograd's transforms weigh values by up to 16 before they cancel",
}
/** Of results that a program of bf16 computes in that form. */
const narrow: Tolerance = { ...winograd, bf16: 2 ** -7, spreads: true, reason: `${winograd.reason}; bf16 rounds them` }
/** What samples of a layout have beside their shapes. */
const marks = (layout: Layout, tolerance = narrow) =>
  many.includes(layout) && { tolerance, noGradient: 'the rule does not know how many channels there are' }

const draw = uniform()
const fused = 'made by the fusion pass, after differentiation'
const text = (shape: readonly number[]) => `f32[${shape.join(', ')}]`

function samples(
  name: string,
  from: readonly ('x' | 'w' | 'y')[],
  to: 'x' | 'w' | 'y',
  extra: (layout: Layout) => object,
): Sample[] {
  return [...layouts, ...many].map((layout) => ({
    ...marks(layout),
    name: layout.name,
    inputs: from.map((part) => input('float', layout[part], draw)),
    build: apply(name, (x) => ({ ...layout.attrs, dtype: x.dtype, ...extra(layout) })),
    outputs: [`float[${layout[to].join(', ')}]`],
  }))
}

const first = layouts[0]!
const withBias = (activation: string, layout = first, label = 'bias'): Sample => ({
  ...marks(layout, winograd),
  name: `${label}, activation ${activation}`,
  inputs: [input('float', layout.x, draw), input('float', layout.w, draw), input('f32', [layout.w[0]!], draw)],
  build: apply('conv2d', { ...layout.attrs, dtype: 'f32', activation }),
  outputs: [text(layout.y)],
  ...(activation === 'none' ? {} : { noGradient: fused }),
})
/** The same with results of the type of x. */
const withBiasAlike = (layout: Layout): Sample => ({
  ...withBias('relu', layout, `${layout.name}, bias, results as x`),
  ...marks(layout),
  build: apply('conv2d', (x) => ({ ...layout.attrs, dtype: x.dtype, activation: 'relu' })),
  outputs: [`float[${layout.y.join(', ')}]`],
})

const withSums = (name: string, layout: Layout): Sample => ({
  ...marks(layout),
  name,
  inputs: [input('float', layout.x, draw), input('float', layout.y, draw)],
  build: apply('conv2dGradWeight', { ...layout.attrs, dtype: 'f32', kernel: layout.w.slice(2), sumDy: true }),
  outputs: [text(layout.w), `f32[${layout.w[0]!}]`],
  noGradient: fused,
})

const types = (...shapes: number[][]): Refusal['inputs'] => shapes.map((shape) => ({ dtype: 'f32', shape }))
const refuses = (shapes: number[][], message: RegExp, attrs: Partial<Geometry> = {}, activation = 'none'): Refusal => ({
  inputs: types(...shapes),
  build: apply('conv2d', { ...dense, dtype: 'f32', activation, ...attrs }),
  message,
})

const conv2d = opCase<Geometry & { readonly activation: string }>({
  name: 'conv2d',
  reference: (inputs, attrs, [output]) => [convolved(inputs, attrs, output!.shape)],
  samples: [
    ...samples('conv2d', ['x', 'w'], 'y', () => ({ activation: 'none' })),
    ...['none', 'relu', 'tanh', 'sigmoid'].map((activation) => withBias(activation)),
    ...many.map((layout) => withBias('relu', layout, `${layout.name}, bias`)),
    ...many.map(withBiasAlike),
  ],
  refusals: [
    refuses(
      [
        [1, 3, 5, 5],
        [4, 2, 3, 3],
      ],
      /expected w with 3 input channels, as x \[1, 3, 5, 5\], got \[4, 2, 3, 3\]/,
    ),
    refuses(
      [
        [1, 3, 5, 5],
        [4, 3, 6, 3],
      ],
      /expected a window of at most 5 \(the padded extent\), got 6/,
    ),
    refuses(
      [
        [1, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      /expected groups that divide 3 channels in and 4 out, got 2/,
      { groups: 2 },
    ),
    refuses(
      [
        [1, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      /expected stride of 2 integers >= 1, got \[0, 1\]/,
      { stride: [0, 1] },
    ),
    refuses(
      [
        [1, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      /expected padding of 4 integers >= 0, got \[1, 1\]/,
      { padding: [1, 1] },
    ),
    refuses(
      [
        [3, 5, 5],
        [4, 3, 3, 3],
      ],
      /expected x with 4 axes, got \[3, 5, 5\]/,
    ),
    refuses([[1, 3, 5, 5], [4, 3, 3, 3], [3]], /expected a bias of shape \[4\], got \[3\]/),
    refuses(
      [
        [1, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      /expected an activation of/,
      {},
      'swish',
    ),
  ],
  tolerance: accumulation,
})

const gradInput = opCase<Geometry>({
  name: 'conv2dGradInput',
  reference: ([dy, w], attrs, [output]) => {
    const dx = fill(output!.shape, () => 0)
    forEachTap(dy!.shape, dx.shape, w!.shape, attrs, (iy, ix, iw) => {
      addAt(dx, at(dy!, ...iy) * at(w!, ...iw), ...ix)
    })
    return [dx]
  },
  samples: samples('conv2dGradInput', ['y', 'w'], 'x', ({ x }) => ({ size: x.slice(2) })),
  refusals: [
    {
      inputs: types([2, 4, 3, 5], [4, 3, 3, 2]),
      build: apply('conv2dGradInput', { ...dense, dtype: 'f32', size: [9, 9] }),
      message: /expected dy of shape \[2, 4, 7, 8\], got \[2, 4, 3, 5\]/,
    },
  ],
  tolerance: accumulation,
})

const gradWeight = opCase<Geometry & { readonly sumDy: boolean }>({
  name: 'conv2dGradWeight',
  reference: ([x, dy], attrs, [output]) => {
    const dw = fill(output!.shape, () => 0)
    forEachTap(dy!.shape, x!.shape, dw.shape, attrs, (iy, ix, iw) => {
      addAt(dw, at(dy!, ...iy) * at(x!, ...ix), ...iw)
    })
    const sums = fill([dy!.shape[1]!], () => 0)
    for (const index of indices(dy!.shape)) addAt(sums, at(dy!, ...index), index[1]!)
    return attrs.sumDy ? [dw, sums] : [dw]
  },
  samples: [
    ...samples('conv2dGradWeight', ['x', 'y'], 'w', ({ w }) => ({ kernel: w.slice(2), sumDy: false })),
    withSums('with sums of dy', first),
    ...many.map((layout) => withSums(`${layout.name}, with sums of dy`, layout)),
  ],
  refusals: [
    {
      inputs: types([2, 3, 5, 6], [2, 4, 3, 5]),
      build: apply('conv2dGradWeight', { ...dense, dtype: 'f32', kernel: [2, 2], sumDy: false }),
      message: /expected dy of shape \[2, 4, 4, 5\], got \[2, 4, 3, 5\]/,
    },
  ],
  tolerance: accumulation,
})

const layer: OpCase = {
  name: 'conv2d with bias and activation',
  samples: [
    {
      name: 'a layer',
      inputs: [input('float', first.x, draw), input('float', first.w, draw), input('f32', [4], draw)],
      build: (x, w, bias) => ops.conv2d(x as never, w as never, { bias: bias as never, activation: 'sigmoid' }),
      outputs: ['float[2, 4, 3, 5]'],
      value: (...inputs) => convolved(inputs, { ...first.attrs, activation: 'sigmoid' }, first.y),
    },
  ],
  refusals: [],
  tolerance: { ...accumulation, bf16: 2 ** -7 },
}

export const conv2dCases: readonly OpCase[] = [conv2d, gradInput, gradWeight, layer]
