// What attacks are made on.
import { formatShape, ShapeError, type Tensor } from '../graph/index.js'

/** Logits f32 [N, K] of images f32 [N, ...], each row of that row alone. */
export type Classifier = (x: never) => Tensor

/** The tensor as logits of N rows. @throws ShapeError */
export function expectLogits(name: string, logits: Tensor, rows: number): Tensor<'f32', [number, number]> {
  if (logits.dtype === 'f32' && logits.rank === 2 && logits.shape[0] === rows) {
    return logits as Tensor<'f32', [number, number]>
  }
  const got = `${logits.dtype}${formatShape(logits.shape)}`
  throw new ShapeError(`${name}: expected logits f32[${rows}, classes], got ${got}`)
}
