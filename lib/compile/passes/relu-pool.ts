// Backward of relu -> max pooling on the small side: reluGrad(maxPool2dGrad(dp, index), y), y the pool's input, becomes
// maxPool2dGrad(reluGrad(dp, p), index), p its output. Exact: each dp goes to the place of a maximum, and there y = p;
// where windows overlap, each term of the sum is masked alike. Saves a pass over y, and y need not outlive the pooling.
import type { Graph, Node } from '../../graph/index.js'
import { input, output, rewrite, usesOf } from '../rewrite.js'
import { dce } from './dce.js'

/** The maxPool2d node whose index a maxPool2dGrad reads. */
function poolOf(grad: Node): Node | undefined {
  if (grad.op.name !== 'maxPool2dGrad') return undefined
  const pool = input(grad, 1).node
  return pool.op.name === 'maxPool2d' ? pool : undefined
}

export function reluPool(graph: Graph): Graph {
  const uses = usesOf(graph)
  return dce(
    rewrite(graph, (node, old, rewriter) => {
      if (node.op.name !== 'reluGrad' || uses.count(input(old, 0)) !== 1) return undefined
      const grad = input(node, 0).node
      const pool = poolOf(grad)
      if (pool === undefined || input(pool, 0) !== input(node, 1)) return undefined
      const masked = rewriter.emit(node.op, [input(grad, 0), output(pool)], node.attrs, node)
      return rewriter.emit(grad.op, [output(masked), input(grad, 1)], grad.attrs, grad).outputs
    }),
  )
}
