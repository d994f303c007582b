// What the types of layers promise; compiled by layers.test.ts. Every @ts-expect-error must be one.
import type { Tensor } from '../../lib/graph/index.js'
import { lenet, mlp } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'

interface Exactly<T> {
  readonly through: (x: T) => T
}
type Same<A, B> = Exactly<A> extends Exactly<B> ? true : false
function expectType<A, B>(_same: Same<A, B>): void {
  // Only its type argument counts.
}

declare const features: Tensor<'f32', [number, 784]>
declare const sequence: Tensor<'f32', [number, number, 784]>
declare const images: Tensor<'f32', [number, 1, 28, 28]>
declare const bytes: Tensor<'u8', [number, 1, 28, 28]>
declare const words: Tensor<'i32', [number, number]>
declare const narrow: Tensor<'f32', [number, 7]>
declare const unknown: Tensor<'f32', [number, number]>

// A chain has the input of its first layer and the output of its last.
export const dense = nn.sequential(nn.linear(784, 512), nn.relu(), nn.dropout(0.5), nn.linear(512, 10))
expectType<typeof dense, nn.Layer<nn.Features<784>, nn.Features<10>>>(true)
export const convolutional = nn.sequential(nn.conv2d(1, 32, { kernel: 3 }), nn.relu(), nn.maxPool2d(2))
expectType<typeof convolutional, nn.Layer<nn.Images<1>, nn.Images<32>>>(true)
export const whole = nn.sequential(convolutional, nn.flatten(), nn.linear(5408, 10))
expectType<typeof whole, nn.Layer<nn.Images<1>, Tensor<'f32', [number, 10]>>>(true)
export const late = nn.sequential(nn.relu(), nn.linear(4, 3))
expectType<typeof late, nn.Layer<nn.Features<4>, nn.Features<3>>>(true)
export const language = nn.sequential(nn.embedding(10000, 64), nn.linear(64, 10000))
export const recurrent = nn.sequential(
  language,
  nn.lstm({ units: 16 }),
  nn.gru({ inputs: 16, units: 8 }),
  nn.linear(8, 3),
)
expectType<typeof recurrent, nn.Layer<nn.Indices, nn.Features<3>>>(true)

// A call keeps the leading extents of its input; a pool forgets the spatial ones.
expectType<ReturnType<typeof call>, Tensor<'f32', [number, 10]>>(true)
export const call = () => dense(features)
export const steps: Tensor<'f32', [number, number, 10]> = dense(sequence)
export const pooled: Tensor<'f32', [number, 32, number, number]> = convolutional(images)
export const logits: Tensor<'f32', [number, number, 10000]> = language(words)
export const scaled: Tensor<'f32', [number, 1, 28, 28]> = nn.fromBytes()(bytes)
export const checkedWhenTraced = dense(unknown)
export const named: typeof dense = nn.named('dense', dense)
export const around: nn.Layer<nn.Features<16>, nn.Features<8>> = nn.named('rnn', nn.rnn({ inputs: 16, units: 8 }))
export const sum: nn.Layer<nn.Features<4>, nn.Features<4>> = nn.residual(nn.linear(4, 4))
export const model: nn.Layer<nn.Features<784>, nn.Features<10>> = mlp({ inputs: 784, hidden: [512], classes: 10 })
export const digits: Tensor<'f32', [number, number]> = lenet()(images)

// What nothing is known of is checked when traced, so that a layer is also a plain function of tensors.
declare const anything: Tensor
export const traced = dense(anything)
export const plain: (x: Tensor) => Tensor = whole
export const loss = (labels: Tensor<'i32', [number]>) => nn.crossEntropy(whole(images), labels)

// Closures take part in a chain.
export const closure = nn.sequential((x: Tensor<'f32', [number, 4]>) => x, nn.linear(4, 3))
// @ts-expect-error layer 2 expects features 5, but layer 1 gives 4
export const badClosure = nn.sequential((x: Tensor<'f32', [number, 4]>) => x, nn.linear(5, 3))

// @ts-expect-error features 784, but gets 7
dense(narrow)
// @ts-expect-error expects f32, but gets i32
dense(words)
// @ts-expect-error expects rank 4, but gets rank 2
convolutional(features)
// @ts-expect-error bytes must be scaled first
convolutional(bytes)
// @ts-expect-error features of neighbours
nn.sequential(nn.linear(784, 512), nn.linear(256, 10))
// @ts-expect-error features behind layers that keep them
nn.sequential(nn.linear(784, 512), nn.relu(), nn.dropout(0.5), nn.linear(256, 10))
// @ts-expect-error channels 64, but 32
nn.sequential(nn.conv2d(1, 32, { kernel: 3 }), nn.maxPool2d(2), nn.conv2d(64, 10, { kernel: 3 }))
// @ts-expect-error channels of a locally connected layer, behind a layer that keeps them
nn.sequential(nn.conv2d(3, 64, { kernel: 3 }), nn.relu(), nn.local2d(32, 8, { size: 6, kernel: 3 }))
// @ts-expect-error flattened images have no channels
nn.sequential(nn.flatten(), nn.conv2d(1, 32, { kernel: 3 }))
// @ts-expect-error features of a recurrent layer
nn.sequential(nn.lstm({ units: 16 }), nn.linear(8, 10))
// @ts-expect-error features of its input, where they are told
nn.sequential(nn.linear(4, 8), nn.rnn({ inputs: 16, units: 8 }))
// @ts-expect-error an embedding takes indices
nn.sequential(nn.linear(4, 8), nn.embedding(100, 8))
// @ts-expect-error chains as layers of a chain
nn.sequential(dense, nn.sequential(nn.linear(11, 3), nn.relu()))
// @ts-expect-error a chain is not a layer of other extents
export const other: nn.Layer<nn.Features<784>, nn.Features<11>> = dense
// @ts-expect-error a kernel is required
nn.conv2d(1, 32, {})

// A call of a recurrent layer with states and lengths.
declare const speech: Tensor<'f32', [number, number, 16]>
declare const spoken: Tensor<'i32', [number]>
const listener = nn.lstm({ inputs: 16, units: 8 })
export const heard = listener.run(speech, { lengths: spoken })
expectType<(typeof heard)['output'], Tensor<'f32', [number, number, 8]>>(true)
export const memory: Tensor<'f32'> = listener.run(speech, { start: heard.last }).states.c
const twoWays = nn.bidirectional(listener, nn.gru({ inputs: 16, units: 8, reverse: true }))
export const started = { forward: heard.last, backward: { h: memory } }
export const bothWays: Tensor<'f32'> = twoWays.run(speech, { start: started, lengths: spoken }).backward.last.h
// @ts-expect-error features 16, but gets 784
listener.run(sequence)
// @ts-expect-error an lstm has a state c
listener.run(speech, { start: { h: memory } })
// @ts-expect-error lengths are integers
listener.run(speech, { lengths: memory })
// @ts-expect-error features of both directions
nn.sequential(nn.linear(4, 8), twoWays)
// @ts-expect-error a name goes around the call alone
export const namedRun: unknown = nn.named('ears', listener).run
// @ts-expect-error a sum has no states
export const sumRun: unknown = nn.residual(nn.lstm({ inputs: 16, units: 16 })).run
// @ts-expect-error what is around a recurrent layer is none
nn.bidirectional(nn.named('ears', listener), nn.gru({ inputs: 16, units: 8, reverse: true }))
// @ts-expect-error a linear layer has no direction
nn.bidirectional(listener, nn.linear(16, 8))
