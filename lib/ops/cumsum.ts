// Running sums along the last axis, from its start, and from its end: each is the other's gradient.
import { type DType, emitOne, type Shape, type Tensor } from '../graph/index.js'
import { exactly, expectFloat, expectThat, register } from './define.js'

function running(name: string, gradient: (dy: Tensor) => Tensor) {
  return register({
    name,
    kind: 'kernel',
    inBf16: 'f32',
    moves: false,
    epilogue: 'none',
    attributes: {},
    infer: (inputs) => {
      const [x] = exactly(inputs, 1)
      expectFloat(x, 'x')
      expectThat(x.shape.length >= 1, 'x with at least one axis', '[]')
      return [{ dtype: x.dtype, shape: x.shape }]
    },
    vjp: (_node, [dy]) => [dy && gradient(dy)],
  })
}

const op = running('cumsum', (dy) => emitOne(gradOp, [dy], {}))

// dx_i = sum of dy_j over j >= i
const gradOp = running('cumsumGrad', (dy) => cumsum(dy))

/**
 * y_i = x_0 + ... + x_i along the last axis: float [..., K] -> the same.
 * @throws ShapeError for integers, and for a tensor without axes.
 * @example cumsum(x)
 */
export function cumsum<D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> {
  return emitOne(op, [x], {})
}
