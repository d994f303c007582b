// What attacks are made on.
import { formatShape, GraphError, ShapeError, type Tensor } from '../graph/index.js'

/** Logits f32 [N, K] of images f32 [N, ...], each row of that row alone. */
export type Classifier = {
  /** Of N images. */ apply(x: Tensor): Tensor
}['apply']

/** The tensor as logits of N rows. @throws ShapeError */
export function expectLogits(name: string, logits: Tensor, rows: number): Tensor<'f32', [number, number]> {
  if (logits.dtype === 'f32' && logits.rank === 2 && logits.shape[0] === rows) {
    return logits as Tensor<'f32', [number, number]>
  }
  const got = `${logits.dtype}${formatShape(logits.shape)}`
  throw new ShapeError(`${name}: expected logits f32[${rows}, classes], got ${got}`)
}

/** The gradient with respect to x, where there is one. @throws GraphError where nothing differentiable leads from x to the loss */
export function expectPath(name: string, gradient: Tensor): Tensor {
  if (gradient.node.op.name !== 'constant') return gradient
  throw new GraphError(`${name}: expected a differentiable path from x to the logits, got none`)
}
