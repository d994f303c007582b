// Functions of images and lines that are composed of other ops: their values stand in test/golden/composed.json.
import * as ops from '../../lib/ops/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { accumulation, input, type OpCase, type Sample } from '../support/op-case.js'
import { uniform } from '../support/random.js'

const composed = (name: string, shapes: number[][], output: number[], build: Sample['build'], bias = true): OpCase => ({
  name,
  samples: [
    {
      name: 'a batch',
      inputs: shapes.map((shape, i) => input(bias && i === 2 ? 'f32' : 'float', shape, uniform(-1, 1))),
      build,
      outputs: [`float[${output.join(', ')}]`],
    },
  ],
  refusals: [
    {
      inputs: shapes.map(() => ({ dtype: 'f32', shape: [2, 3] })),
      build,
      message: /expected (x|dy|w) (of \[|with 4 axes)/,
    },
  ],
  tolerance: { ...accumulation, bf16: 2 ** -6, reason: 'sums of products; in bf16 rounded before the bias' },
})

const bias = (x: Tensor | undefined) => ({ bias: x as Tensor<'f32'> })

export const imageCases: readonly OpCase[] = [
  composed('conv1d', [[2, 4, 7], [6, 2, 3], [6]], [2, 6, 4], (x, w, b) =>
    ops.conv1d(x, w, { stride: 2, padding: 1, groups: 2, ...bias(b) }),
  ),
  composed('convTranspose2d', [[2, 4, 3, 4], [4, 3, 3, 2], [3]], [2, 3, 6, 7], (x, w, b) =>
    ops.convTranspose2d(x, w, { stride: 2, padding: 1, outputPadding: 1, ...bias(b) }),
  ),
  composed('globalAvgPool2d', [[2, 4, 3, 5]], [2, 4], (x) => ops.globalAvgPool2d(x)),
  composed('upsample2d', [[2, 4, 3, 5]], [2, 4, 6, 10], (x) => ops.upsample2d(x, 2)),
  composed('upsample2d by lines', [[2, 4, 3, 5]], [2, 4, 9, 15], (x) => ops.upsample2d(x, 3, { by: 'bilinear' })),
]
