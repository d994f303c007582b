// Small training graphs, written with plain ops, that the tests of the compiler share.
import { grad } from '../../../lib/autodiff/index.js'
import { assign, feed, type Graph, read, type Shape, type Tensor, trace, Variable } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'

export function variable<S extends Shape>(
  label: string,
  shape: readonly [...S],
  role: 'parameter' | 'statistic' = 'parameter',
): Variable<'f32', S> {
  return new Variable({ label, dtype: 'f32', shape, role, init: () => ops.zeros(shape) }) as Variable<'f32', S>
}

/** SGD with momentum and weight decay; the rate falls with the step counter. */
function update(loss: Tensor, parameters: readonly Variable<'f32'>[]): void {
  const values = parameters.map((parameter) => read(parameter))
  const gradients = grad(loss, values)
  const step = read(ops.step)
  assign(ops.step, ops.add(step, 1))
  const rate = ops.div(0.1, ops.add(1, ops.mul(ops.cast(step, 'f32'), 0.001)))
  parameters.forEach((parameter, i) => {
    const velocity = variable(`${parameter.label}.v`, parameter.shape, 'statistic')
    const w = values[i] as Tensor<'f32'>
    const v = ops.add(ops.mul(read(velocity), 0.9), ops.add(gradients[i] as Tensor<'f32'>, ops.mul(w, 0.0005)))
    assign(velocity, v)
    assign(parameter, ops.sub(w, ops.mul(rate, v)))
  })
}

export interface Network {
  readonly graph: Graph
  readonly parameters: readonly Variable<'f32'>[]
}

type Four = [number, number, number, number]
type Images = Tensor<'f32', Four>

/** LeNet of the lecture, batch N, whole training step: conv 32, pool, conv 64, pool, 1024, 10. */
export function lenet(n = 8, mode: 'train' | 'eval' = 'train'): Network {
  const [w1, b1] = [variable('w1', [32, 1, 5, 5]), variable('b1', [32])]
  const [w2, b2] = [variable('w2', [64, 32, 5, 5]), variable('b2', [64])]
  const [w3, b3] = [variable('w3', [1024, 3136]), variable('b3', [1024])]
  const [w4, b4] = [variable('w4', [10, 1024]), variable('b4', [10])]
  const parameters = [w1, b1, w2, b2, w3, b3, w4, b4]
  const layer = (x: Tensor, w: Variable<'f32', Four>, b: Variable<'f32'>) => {
    const y = ops.conv2d(x as Images, read(w), { padding: 2, bias: read(b) })
    return ops.maxPool2d(ops.relu(y), 2)
  }
  const dense = (x: Tensor, w: Variable<'f32'>, b: Variable<'f32'>) =>
    ops.matmul<'f32', Shape, Shape, false, true>(x as Tensor<'f32'>, read(w), { transposeB: true, bias: read(b) })
  const graph = trace({ name: 'lenet', mode }, () => {
    const images = feed('x', 'u8', [n, 1, 28, 28])
    const labels = feed('y', 'i32', [n])
    const x = ops.div(ops.cast(images, 'f32'), 255)
    const features = ops.flatten(layer(layer(x, w1, b1), w2, b2))
    const hidden = ops.dropout(ops.relu(dense(features, w3, b3)), 0.5)
    const logits = dense(hidden, w4, b4) as Tensor<'f32', [number, number]>
    const loss = ops.mean(ops.crossEntropy(logits, labels))
    if (mode === 'train') update(loss, parameters)
    return mode === 'train' ? { loss } : { loss, logits }
  })
  return { graph, parameters }
}
