// What the types of a session promise of a network, a loss and their data; compiled by session.test.ts. Every @ts-expect-error must be one.
import { expectTypeOf } from 'vitest'
import { arrays, type Dataset, type Fields, mnist } from '../../lib/data/index.js'
import { nn, ops, optim, type Tensor, train } from '../../lib/index.js'
import { lenet, mlp, sparseAutoencoder } from '../../lib/models/index.js'

declare const floats: Float32Array
declare const bytes: Uint8Array
declare const labels: Int32Array
declare const anything: Dataset
declare const batches: Iterable<{ x: Float32Array; target: Int32Array }>
declare const epochs: readonly (typeof batches)[]
declare const network: train.Network
const rest = { optimizer: optim.sgd({ rate: 0.1 }), batch: 1 }
const loss = nn.crossEntropy
const rows = arrays({ x: { data: floats, shape: [7] }, target: labels })
const pictures = arrays({ x: { data: bytes, shape: [1, 28, 28] }, target: labels })
const words = arrays({ x: { data: labels, shape: [5], batchAxis: 1 }, target: labels })
const scaled = arrays({ x: { data: bytes, shape: [1, 28, 28] }, target: bytes })
const pairs = arrays({ x: { data: floats, shape: [7] }, target: { data: floats, shape: [2] } })
const fields = { x: { dtype: 'f32', shape: [7] }, target: { dtype: 'i32', shape: [] } } as const
const made = { train: batches, fields }
const small = nn.linear(7, 3)
const large = nn.linear(784, 10)

// What fits: alone, with a validation set, through layers that keep extents, through functions.
export const measured: Promise<train.Session<'accuracy'>> = train.session(small, { ...rest, data: rows, loss })
void train.session(small, { ...rest, data: { train: rows, validation: anything }, loss })
void train.session(nn.sequential(nn.relu(), nn.linear(7, 3)), { ...rest, data: rows, loss })
void train.session((x: Tensor<'f32', [number, 7]>) => small(x), { ...rest, data: rows, loss })
void train.session(nn.linear(7, 2), { ...rest, data: pairs, loss: nn.meanSquaredError })
void train.session(mlp({ inputs: 7, hidden: [4], classes: 3 }), { ...rest, data: rows, loss })
void train.session(small, { ...rest, data: made, loss })
void train.session(lenet(), { ...rest, data: pictures, loss })
void train.session(nn.sequential(nn.embedding(9, 4), nn.lstm({ units: 3 })), { ...rest, data: words, loss })
export const digits = async () => train.session(lenet(), { ...rest, data: await mnist(), loss })

// What is known only when traced.
void train.session(large, { ...rest, data: anything, loss })
void train.session(network, { ...rest, data: rows, loss })
void train.session(nn.sequential(nn.flatten(), large), { ...rest, data: rows, loss })
void train.session(sparseAutoencoder().net, { ...rest, data: rows, loss })
void train.session(large, { ...rest, data: { train: batches, fields: anything.fields }, loss })
export function generic<F extends Fields>(data: Dataset<F>, given: train.Loss) {
  return train.session(network, { ...rest, data, loss: given })
}

// A field as `inputs` prepares it.
const standard = nn.standardise({ shape: [7] })
const five = (x: Tensor) => ops.reshape(x, [-1, 5])
void train.session(small, { ...rest, data: rows, loss, inputs: { x: standard } })
void train.session(small, { ...rest, data: rows, loss, inputs: { x: (x) => ops.mul(x, 2) } })
void train.session(large, { ...rest, data: anything, loss, inputs: { x: (x) => ops.mul(x, 2) } })
void train.session(large, { ...rest, data: rows, loss, inputs: { x: (x) => ops.reshape(x, [-1, 784]) } })
void train.session(small, { ...rest, data: pairs, loss, inputs: { target: (t) => ops.argmax(t) } })
declare const inputs: train.Inputs
void train.session(large, { ...rest, data: pairs, loss, inputs })

// A loss of the user's own.
void train.session(small, {
  ...rest,
  data: rows,
  loss: (output: Tensor<'f32'>, target: Tensor<'i32'>) => ops.mul(loss(output, target), 2),
})

// Functions that are written in place know what they are given.
void train.session(small, {
  ...rest,
  data: { train: rows, validation: anything },
  loss: (output, target) => {
    expectTypeOf(output).toEqualTypeOf<Tensor<'f32', [number, 3]>>()
    expectTypeOf(target).toEqualTypeOf<Tensor<'i32', [number]>>()
    return loss(output, target)
  },
})
void train.session((x) => ops.mul(x, 2), {
  ...rest,
  data: scaled,
  loss: (output, target) => {
    expectTypeOf(output).toEqualTypeOf<Tensor>()
    expectTypeOf(target).toEqualTypeOf<Tensor<'f32', [number]>>()
    return ops.mean(target)
  },
})
void train.session(small, {
  ...rest,
  data: { train: (epoch) => epochs[epoch] ?? [], fields },
  loss: (output, target) => loss(output, target),
})
void train.session(small, {
  ...rest,
  data: pairs,
  inputs: {
    x: (x) => {
      expectTypeOf(x).toEqualTypeOf<Tensor<'f32', [number, 7]>>()
      return ops.mul(x, 2)
    },
    target: (t) => ops.argmax(t),
  },
  loss: (output, target) => {
    expectTypeOf(output).toEqualTypeOf<Tensor<'f32', [number, 3]>>()
    return loss(output, target)
  },
})

// @ts-expect-error 7 features
void train.session(large, { ...rest, data: rows, loss })
// @ts-expect-error 7 features of a training set
void train.session(large, { ...rest, data: { train: rows, validation: rows }, loss })
// @ts-expect-error 7 features, behind a layer that keeps them
void train.session(nn.sequential(nn.relu(), large), { ...rest, data: rows, loss })
// @ts-expect-error 7 features, of a function
void train.session((x: Tensor<'f32', [number, 784]>) => large(x), { ...rest, data: rows, loss })
// @ts-expect-error one channel
void train.session(nn.conv2d(3, 8, { kernel: 3 }), { ...rest, data: pictures, loss })
// @ts-expect-error rows have no channels
void train.session(lenet(), { ...rest, data: rows, loss })
// @ts-expect-error numbers are no words
void train.session(nn.embedding(9, 4), { ...rest, data: rows, loss })
// @ts-expect-error words are no numbers, whatever their extents
void train.session(small, { ...rest, data: words, loss })
// @ts-expect-error 28 features in each row of a picture
void train.session(mlp({ inputs: 784, hidden: [], classes: 9 }), { ...rest, data: pictures, loss })
// @ts-expect-error 7 features of batches of one's own
void train.session(large, { ...rest, data: made, loss })
// @ts-expect-error standardising keeps the 7 features
void train.session(large, { ...rest, data: rows, loss, inputs: { x: standard } })
// @ts-expect-error the function gives 5 features
void train.session(small, { ...rest, data: rows, loss, inputs: { x: five } })
// @ts-expect-error a function that is written in place keeps the 7 features
void train.session(large, { ...rest, data: rows, loss, inputs: { x: (x) => ops.mul(x, 2) } })
// @ts-expect-error a function of numbers, given words
void train.session(small, { ...rest, data: words, loss, inputs: { x: (x: Tensor<'f32', [number, 5]>) => x } })
// @ts-expect-error labels are no numbers, where the loss is written in place
void train.session(small, { ...rest, data: rows, loss: (output, target) => nn.meanSquaredError(output, target) })
// @ts-expect-error a loss of no shape
void train.session(small, { ...rest, data: rows, loss: (output) => output.shape })
// @ts-expect-error labels of floats
void train.session(small, { ...rest, data: pairs, loss })
// @ts-expect-error labels are no numbers
void train.session(small, { ...rest, data: rows, loss: nn.meanSquaredError })
// @ts-expect-error no field x
void train.session(small, { ...rest, data: arrays({ y: { data: floats, shape: [7] }, target: labels }), loss })
// @ts-expect-error no field target
void train.session(small, { ...rest, data: arrays({ x: { data: floats, shape: [7] } }), loss })
