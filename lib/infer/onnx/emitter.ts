// The ONNX graph that is being made: nodes, the tensors that it holds, and names of both. Extents that depend on the batch are computed
// from the shape of the input that has it.
import { ONNX_TYPES, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxType } from '../../files/index.js'
import { count, type DType, type HostArray, type Node, type Tensor } from '../../graph/index.js'
import type { Batches } from './extents.js'
import { type Extent, refused } from './extents.js'

const int64 = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values.map(BigInt))

/** Nodes and tensors in the order in which they were added. */
export class Emitter {
  readonly nodes: OnnxNode[] = []
  readonly tensors: OnnxTensor[] = []
  readonly #names = new Map<Tensor, string>()
  readonly #constants = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  #path = ''
  #batch: string | undefined

  /** @param source the input that has the batch, and its axis; undefined where the batch is fixed */
  constructor(
    readonly batches: Batches,
    readonly source: { readonly name: string; readonly axis: number } | undefined,
  ) {}

  /** What is added from now on is named after this path. */
  at({ op, path }: Node): void {
    this.#path = path === '' ? op.name : path
  }

  /** The name of a tensor that was made. */
  nameOf(tensor: Tensor): string {
    const name = this.#names.get(tensor)
    if (name === undefined) throw refused(tensor.node, `output ${tensor.index} not to be read, as ONNX has none such`)
    return name
  }

  has(tensor: Tensor): boolean {
    return this.#names.has(tensor)
  }

  name(tensor: Tensor, name: string): void {
    this.#names.set(tensor, name)
  }

  /** Adds an operator with one result. */
  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    return this.ops(op, inputs, attributes, 1)[0]!
  }

  /** Adds an operator with several results. */
  ops(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    results: number,
  ): string[] {
    const name = this.#fresh(`${this.#path}/${op}`)
    const outputs = Array.from({ length: results }, (_, i) => (i === 0 ? name : `${name}:${i}`))
    this.nodes.push({ op, name, inputs, outputs, attributes })
    return outputs
  }

  /** A tensor of the file. */
  tensor(name: string, type: OnnxType, shape: readonly number[], data: ArrayBufferView): string {
    this.tensors.push({ name, type, shape, data })
    return name
  }

  /** A small tensor; equal ones are one. */
  constant(type: OnnxType, shape: readonly number[], values: readonly number[]): string {
    const key = `${type}:${shape.join(',')}:${values.join(',')}`
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const name = this.tensor(this.#fresh('constant'), type, shape, arrayOf(type, values))
    this.#constants.set(key, name)
    return name
  }

  scalar(value: number, type: OnnxType = 'f32'): string {
    return this.constant(type, [], [value])
  }

  ints(values: readonly number[]): string {
    return this.constant('i64', [values.length], values)
  }

  /** i64 [n] of extents, of which some may depend on the batch. */
  extents(extents: readonly Extent[]): string {
    if (extents.every(({ per }) => per === 0)) return this.ints(extents.map(({ plus }) => plus))
    const parts = extents.map((extent) => this.#extent(extent))
    return parts.length === 1 ? parts[0]! : this.op('Concat', parts, { axis: { int: 0 } })
  }

  /** The same for `Reshape`, which finds one extent by itself. */
  reshape(x: string, extents: readonly Extent[]): string {
    const open = extents.filter(({ per }) => per !== 0)
    const shape =
      open.length === 1 ? this.ints(extents.map(({ per, plus }) => (per === 0 ? plus : -1))) : this.extents(extents)
    return this.op('Reshape', [x, shape])
  }

  cast(x: string, to: OnnxType): string {
    return this.op('Cast', [x], { to: { int: ONNX_TYPES[to] } })
  }

  #extent({ per, plus }: Extent): string {
    if (per === 0) return this.ints([plus])
    const batch = this.#batchOf()
    const times = per === 1 ? batch : this.op('Mul', [batch, this.ints([per])])
    return plus === 0 ? times : this.op('Add', [times, this.ints([plus])])
  }

  /** i64 [1]. */
  #batchOf(): string {
    if (this.#batch !== undefined) return this.#batch
    const { name, axis } = this.source!
    const shape = this.op('Shape', [name])
    return (this.#batch = this.op('Gather', [shape, this.ints([axis])], { axis: { int: 0 } }))
  }

  #fresh(name: string): string {
    const seen = this.#counts.get(name) ?? 0
    this.#counts.set(name, seen + 1)
    return seen === 0 ? name : `${name}_${seen}`
  }
}

/** Elements beyond which a tensor of equal elements is made when it runs. */
const MOST_EQUAL = 4096

/** Values fixed in the program. */
export function constantOf(emitter: Emitter, { attrs, outputs }: Node): string {
  const [{ dtype }] = outputs as readonly [Tensor]
  const type = typeOf(dtype)
  const extents = emitter.batches.shape(outputs[0]!)
  const values = attrs['data'] as readonly number[]
  const shape = extents.map(({ plus }) => plus)
  const isOpen = extents.some(({ per }) => per !== 0)
  if (values.length > 1) return emitter.constant(type, shape, values)
  if (shape.length === 0) return emitter.scalar(values[0]!, type)
  if (isOpen || count(shape) > MOST_EQUAL) {
    return emitter.op('Expand', [emitter.scalar(values[0]!, type), emitter.extents(extents)])
  }
  return emitter.constant(
    type,
    shape,
    Array.from({ length: count(shape) }, () => values[0]!),
  )
}

/** The ONNX type of what a program has in f32, i32 or u8. */
export function typeOf(dtype: DType): 'f32' | 'i32' | 'u8' {
  return dtype === 'bf16' ? 'f32' : dtype
}

function arrayOf(type: OnnxType, values: readonly number[]): HostArray | BigInt64Array {
  if (type === 'i64') return int64(values)
  if (type === 'i32') return Int32Array.from(values)
  return type === 'f32' ? Float32Array.from(values) : Uint8Array.from(values)
}
