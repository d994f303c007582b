// Values pass from kernel to kernel in the layout that each prefers, through loops that know a layout but no library's name for it:
// chains of both against the interpreter in double precision.
import { describe, expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { feed, type Tensor, trace } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import { difference } from '../support/compare.js'
import { interpret } from '../support/interpreter.js'
import { backends, runNative } from '../support/native.js'
import { type NDArray, ndarray } from '../support/ndarray.js'
import { generator, uniform } from '../support/random.js'

type F32 = Tensor<'f32'>
const loose = (layer: unknown) => layer as (x: Tensor) => F32

/** What stands between two convolutions of 16 channels, whose images lie in blocks. */
const between: Readonly<Record<string, (x: F32) => Tensor>> = {
  'a loop before an average': (x) => ops.avgPool2d(ops.square(x) as never, 3, { stride: 1, padding: 1 }),
  'a loop before a maximum': (x) => ops.maxPool2d(ops.square(x) as never, 3, { stride: 2 }),
  'normalisation within channels': loose(nn.lrn({ convention: 'caffe', region: 'within', size: 3, alpha: 0.5 })),
  'normalisation across channels': (x) => loose(nn.lrn({ convention: 'paper', alpha: 0.5 }))(ops.square(x)),
  'a loop alone': (x) => ops.mul(ops.sigmoid(x), x),
}
const shapes: Readonly<Record<string, readonly number[]>> = { x: [2, 16, 6, 6], w1: [16, 16, 3, 3], w2: [16, 16, 3, 3] }

describe.for(backends())('on $name', ({ name, reason }) => {
  it.skipIf(reason !== undefined).for(Object.keys(between))('%s', async (what) => {
    const graph = trace({ name: 'chain' }, () => {
      const [x, w1, w2] = Object.entries(shapes).map(([key, shape]): F32 => feed(key, 'f32', shape)) as [F32, F32, F32]
      const convolved = (image: Tensor, w: F32) =>
        ops.conv2d(image as never, w as never, { padding: 1 }) as unknown as F32
      const y = convolved(between[what]!(convolved(x, w1)), w2)
      const loss: Tensor<'f32', []> = ops.sum(ops.square(y))
      const [dx, dw1, dw2] = grad(loss, [x, w1, w2])
      return { y, dx: dx, dw1: dw1, dw2: dw2 }
    })
    const random = generator(7)
    const inputs: NDArray[] = Object.values(shapes).map((shape) => ndarray(shape, uniform(-0.5, 0.5)(shape, random)))
    const feeds = Object.fromEntries(Object.keys(shapes).map((key, i) => [key, inputs[i]!]))
    const wanted = interpret(graph, feeds).fetches
    const got = await runNative(graph, inputs, name)
    for (const [i, fetch] of graph.fetches.entries()) {
      // Sums of 144 products each, twice over.
      const wrong = difference(got[i]!, wanted[fetch.name]!, { tolerance: 2e-5, relativeTo: 'tensor' })
      expect(wrong, fetch.name).toBeUndefined()
    }
  })
})
