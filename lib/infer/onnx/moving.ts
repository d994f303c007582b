// Ops that move, reduce or look up elements as ONNX operators.
import type { Converter } from './converter.js'
import { typeOf } from './emitter.js'
import type { Extent } from './extents.js'

const sum = (a: Extent, b: Extent): Extent => ({ per: a.per + b.per, plus: a.plus + b.plus })

const overLast =
  (name: string): Converter =>
  ({ emitter, inputs }) => [emitter.op(name, inputs, { axis: { int: -1 } })]

export const moving: Readonly<Record<string, Converter>> = {
  reshape: ({ emitter, inputs: [x = ''], shape }) => [emitter.reshape(x, shape())],
  transpose: ({ emitter, inputs, fixed }) => [emitter.op('Transpose', inputs, { perm: { ints: fixed('perm') } })],
  broadcastTo: ({ emitter, inputs: [x = ''], shape }) => [emitter.op('Expand', [x, emitter.extents(shape())])],
  slice: ({ emitter, inputs: [x = ''], ints }) => {
    const [start, size] = [ints('start'), ints('size')]
    const end = start.map((extent, axis) => sum(extent, size[axis]!))
    const axes = emitter.ints(start.map((_, axis) => axis))
    return [emitter.op('Slice', [x, emitter.extents(start), emitter.extents(end), axes])]
  },
  concat: ({ emitter, node, inputs }) => [
    emitter.op('Concat', inputs, { axis: { int: node.attrs['axis'] as number } }),
  ],
  pad: ({ emitter, node, inputs: [x = ''], ints }) => {
    const value = emitter.scalar(node.attrs['value'] as number, typeOf(node.outputs[0]!.dtype))
    return [emitter.op('Pad', [x, emitter.extents([...ints('before'), ...ints('after')]), value])]
  },
  sum: ({ emitter, node, inputs: [x = ''], fixed }) => {
    const keeps = node.attrs['keepDims'] === true ? 1 : 0
    const axes = fixed('axes')
    return [axes.length === 0 ? x : emitter.op('ReduceSum', [x, emitter.ints(axes)], { keepdims: { int: keeps } })]
  },
  max: ({ emitter, node, inputs, fixed }) => {
    const keeps = node.attrs['keepDims'] === true ? 1 : 0
    return [emitter.op('ReduceMax', inputs, { axes: { ints: fixed('axes') }, keepdims: { int: keeps } })]
  },
  norm: ({ emitter, inputs }) => [emitter.op('ReduceL2', inputs, { keepdims: { int: 0 } })],
  argmax: ({ emitter, node, inputs }) => {
    const attributes = { axis: { int: node.attrs['axis'] as number }, keepdims: { int: 0 } }
    return [emitter.cast(emitter.op('ArgMax', inputs, attributes), 'i32')]
  },
  topK: ({ emitter, node, inputs: [x = ''] }) => {
    const [values = '', places = ''] = emitter.ops('TopK', [x, emitter.ints([node.attrs['k'] as number])], {}, 2)
    return [values, emitter.cast(places, 'i32')]
  },
  gather: ({ emitter, inputs }) => [emitter.op('Gather', inputs, { axis: { int: 0 } })],
  cumsum: ({ emitter, inputs: [x = ''] }) => [emitter.op('CumSum', [x, emitter.scalar(-1, 'i64')])],
  softmax: overLast('Softmax'),
  logSoftmax: overLast('LogSoftmax'),
}
