// Writes ONNX files: the messages of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto), with weights in the file itself.
import { OstrichError } from '../base/index.js'
import { replaceFile } from './atomic-file.js'
import { ProtobufMessage } from './protobuf.js'

/** Element types, by their number in TensorProto.DataType. */
export const ONNX_TYPES = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9 } as const

/** An element type of an ONNX tensor. */
export type OnnxType = keyof typeof ONNX_TYPES

/** An input or output of a graph; an extent that is a text is known only when it runs. */
export interface OnnxValue {
  readonly name: string
  readonly type: OnnxType
  readonly shape: readonly (number | string)[]
}

/** A tensor that the file holds. */
export interface OnnxTensor {
  readonly name: string
  readonly type: OnnxType
  readonly shape: readonly number[]
  readonly data: ArrayBufferView
}

/** An attribute of a node. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly texts: readonly string[] }

/** An operator, the names of what it reads and writes, and its attributes. */
export interface OnnxNode {
  readonly op: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
}

/** A model as a file holds it. */
export interface OnnxModel {
  readonly name: string
  readonly producer: { readonly name: string; readonly version: string }
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly tensors: readonly OnnxTensor[]
  readonly nodes: readonly OnnxNode[]
}

/** Version of the operators that files are written in, and of the format that came with it. */
export const OPSET = 17
const IR_VERSION = 8
/** What a message may have at most: readers count its bytes in 31 bits. */
const MOST_BYTES = 2 ** 31 - 1

/**
 * Writes an ONNX file, replacing what was there whole or not at all.
 * @throws OstrichError `ERR_OPTION`, for a model of 2 GiB or more
 */
export async function writeOnnx(path: string, model: OnnxModel): Promise<void> {
  const message = modelMessage(model)
  if (message.length > MOST_BYTES) {
    throw new OstrichError('ERR_OPTION', `${path}: expected a model below 2 GiB, got ${message.length} bytes`)
  }
  await replaceFile(path, async (file) => {
    for (const part of joined(message.parts)) await file.write(part)
  })
}

/** Small parts joined: a message has thousands of them. */
function* joined(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = []
  for (const part of parts) {
    if (part.length < 4096) {
      small.push(part)
      continue
    }
    yield Buffer.concat(small)
    small = []
    yield part
  }
  yield Buffer.concat(small)
}

function modelMessage({ name, producer, inputs, outputs, tensors, nodes }: OnnxModel): ProtobufMessage {
  const graph = new ProtobufMessage()
  for (const node of nodes) graph.message(1, nodeMessage(node))
  graph.text(2, name)
  for (const tensor of tensors) graph.message(5, tensorMessage(tensor))
  for (const value of inputs) graph.message(11, valueMessage(value))
  for (const value of outputs) graph.message(12, valueMessage(value))
  return new ProtobufMessage()
    .int(1, IR_VERSION)
    .text(2, producer.name)
    .text(3, producer.version)
    .message(7, graph)
    .message(8, new ProtobufMessage().text(1, '').int(2, OPSET))
}

function nodeMessage({ op, name, inputs, outputs, attributes }: OnnxNode): ProtobufMessage {
  const message = new ProtobufMessage()
  for (const input of inputs) message.text(1, input)
  for (const output of outputs) message.text(2, output)
  message.text(3, name).text(4, op)
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value))
  return message
}

/** Field 20 is the kind of the value. */
function attributeMessage(name: string, value: OnnxAttribute): ProtobufMessage {
  const message = new ProtobufMessage().text(1, name)
  if ('float' in value) return message.float(2, value.float).int(20, 1)
  if ('int' in value) return message.int(3, value.int).int(20, 2)
  if ('text' in value) return message.text(4, value.text).int(20, 3)
  if ('ints' in value) {
    for (const one of value.ints) message.int(8, one)
    return message.int(20, 7)
  }
  for (const one of value.texts) message.text(9, one)
  return message.int(20, 8)
}

function tensorMessage({ name, type, shape, data }: OnnxTensor): ProtobufMessage {
  const message = new ProtobufMessage()
  for (const extent of shape) message.int(1, extent)
  return message
    .int(2, ONNX_TYPES[type])
    .text(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

function valueMessage({ name, type, shape }: OnnxValue): ProtobufMessage {
  const extents = new ProtobufMessage()
  for (const extent of shape) {
    const one = new ProtobufMessage()
    extents.message(1, typeof extent === 'number' ? one.int(1, extent) : one.text(2, extent))
  }
  const tensor = new ProtobufMessage().int(1, ONNX_TYPES[type]).message(2, extents)
  return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor))
}
