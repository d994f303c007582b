// The last layer of networks whose table of target words is that of their last layer too (Press & Wolf 2017, "Using the output embedding
// to improve language models").
import { read, type Shape, type Tensor, type Variable } from '../graph/index.js'
import type { Features } from '../nn/index.js'
import { matmul, reshape } from '../ops/index.js'

type Table = Variable<'f32', [number, number]>

/** Logits [..., V] of features f32 [..., F]: their products with all rows of a table f32 [V, F], and a bias f32 [V]. */
export function tiedWords(x: Tensor<'f32'>, table: Table, bias?: Variable<'f32'>): Features {
  const [words, features] = table.shape
  const scores = matmul<'f32', Shape, Shape, false, true>(reshape(x, [-1, features]), read(table), {
    transposeB: true,
    ...(bias !== undefined && { bias: read(bias) }),
  })
  return reshape(scores, [...x.shape.slice(0, -1), words])
}
