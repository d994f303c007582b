// Small training graphs, written with plain ops, that the tests of the compiler share.
import { grad } from '../../../lib/autodiff/index.js'
import {
  assign,
  feed,
  type Graph,
  keptBy,
  read,
  type Shape,
  type Tensor,
  trace,
  Variable,
} from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { generator } from '../../support/random.js'

export function variable<S extends Shape>(
  label: string,
  shape: readonly [...S],
  role: 'parameter' | 'statistic' = 'parameter',
): Variable<'f32', S> {
  return new Variable({ label, dtype: 'f32', shape, role, init: () => ops.zeros(shape) })
}

/** SGD with momentum and weight decay; the rate falls with the step counter. */
function update(loss: Tensor, parameters: readonly Variable<'f32'>[]): void {
  const values = parameters.map((parameter) => read(parameter))
  const gradients = grad(loss, values)
  const step = read(ops.step)
  assign(ops.step, ops.add(step, 1))
  const rate = ops.div(0.1, ops.add(1, ops.mul(ops.cast(step, 'f32'), 0.001)))
  parameters.forEach((parameter, i) => {
    const velocity = keptBy(parameter, 'v', () => variable(`${parameter.label}.v`, parameter.shape, 'statistic'))
    const w = values[i] as Tensor<'f32'>
    const v = ops.add(
      ops.mul(read(velocity), 0.9),
      ops.add(ops.parameterGradient(parameter, gradients[i] as Tensor<'f32'>), ops.mul(w, 0.0005)),
    )
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

export interface LeNetSizes {
  readonly batch: number
  /** Extent of the square image. */
  readonly image: number
  readonly channels: readonly [number, number]
  readonly hidden: number
}

/** LeNet of the lecture: conv 32, pool, conv 64, pool, 1024, 10. */
export const full: LeNetSizes = { batch: 8, image: 28, channels: [32, 64], hidden: 1024 }
/** The same drawing, small enough for the float64 interpreter. */
export const tiny: LeNetSizes = { batch: 2, image: 8, channels: [2, 3], hidden: 4 }

/** A whole training step, or the evaluation of a batch. */
export function lenet(sizes: LeNetSizes = full, mode: 'train' | 'eval' = 'train'): Network {
  const { batch, image, channels, hidden } = sizes
  const [c1, c2] = channels
  const [w1, b1] = [variable('w1', [c1, 1, 5, 5]), variable('b1', [c1])]
  const [w2, b2] = [variable('w2', [c2, c1, 5, 5]), variable('b2', [c2])]
  const [w3, b3] = [variable('w3', [hidden, c2 * (image / 4) ** 2]), variable('b3', [hidden])]
  const [w4, b4] = [variable('w4', [10, hidden]), variable('b4', [10])]
  const parameters = [w1, b1, w2, b2, w3, b3, w4, b4]
  const layer = (x: Tensor, w: Variable<'f32', Four>, b: Variable<'f32'>) => {
    const y = ops.conv2d(x as Images, read(w), { padding: 2, bias: read(b) })
    return ops.maxPool2d(ops.relu(y), 2)
  }
  const dense = (x: Tensor, w: Variable<'f32'>, b: Variable<'f32'>) =>
    ops.matmul<'f32', Shape, Shape, false, true>(x as Tensor<'f32'>, read(w), { transposeB: true, bias: read(b) })
  const graph = trace({ name: 'lenet', mode }, () => {
    const images = feed('x', 'u8', [batch, 1, image, image])
    const labels = feed('y', 'i32', [batch])
    const x = ops.div(ops.cast(images, 'f32'), 255)
    const features = ops.flatten(layer(layer(x, w1, b1), w2, b2))
    const active = ops.dropout(ops.relu(dense(features, w3, b3)), 0.5)
    const logits = dense(active, w4, b4) as Tensor<'f32', [number, number]>
    const loss = ops.mean(ops.crossEntropy(logits, labels))
    if (mode === 'train') update(loss, parameters)
    return mode === 'train' ? { loss } : { loss, logits }
  })
  return { graph, parameters }
}

/** Pointwise nodes of one shape with kernels (softmax) in between: every path around a group is a trap. */
export function randomGraph(seed: number): Graph {
  const draw = generator(seed)
  const random = (n: number) => Math.floor(draw() * n)
  return trace({ name: `random${seed}` }, () => {
    const tensors: Tensor[] = [feed('a', 'f32', [4, 4]), feed('b', 'f32', [4, 4])]
    const pick = () => tensors[tensors.length - 1 - random(Math.min(8, tensors.length))] as Tensor
    for (let i = 0; i < 60; i++) {
      const kind = random(10)
      if (kind < 2) tensors.push(ops.softmax(pick()))
      else if (kind < 5) tensors.push(ops.tanh(pick()))
      else tensors.push(ops.add(pick(), pick()))
    }
    return Object.fromEntries(tensors.slice(-3).map((tensor, i) => [`y${i}`, tensor]))
  })
}
