// A model as an ONNX file: traced for a few batches, so that the file takes any.
import { expectKind, expectOptions, is, type Schema } from '../../base/index.js'
import { batched, type FieldSpec } from '../../data/index.js'
import { writeOnnx } from '../../files/index.js'
import { type DType, feed, type Graph, type HostArray, type Names, type Tensor, trace } from '../../graph/index.js'
import type { Extent, Traceable } from '../../train/compiled.js'
import { prepared } from '../../train/objective.js'
import type { Inputs, Network } from '../../train/types.js'
import { onnxModel } from './export.js'

/** Options of `model.exportOnnx`. */
export interface OnnxOptions {
  /** Examples that the file takes at once. Default: any number. */
  readonly batch?: number
  /**
   * Extents of the inputs for a batch of so many, by name. Default: the field `x` as it was in training, of which the file's network
   * prepares bytes and pixels by itself.
   */
  readonly inputs?: (batch: number) => Readonly<Record<string, Extent>>
  /** What is exported: a function of the inputs, in their order, to results by name. Default: `output`, what the network answers. */
  readonly fn?: Traceable<Readonly<Record<string, Tensor>>>
}

const schema: Schema<OnnxOptions> = { batch: is.whole(1), inputs: is.callable, fn: is.callable }

/** Any three: what depends on the batch must lie on a line through them. */
const BATCHES = [2, 3, 5] as const

/** What an export reads of a model. */
export interface Exported {
  readonly names: Names
  readonly net: Network
  readonly inputs: Inputs
  readonly field: FieldSpec
  /** The values of these variables, by path. */
  values(paths: readonly string[]): Promise<Readonly<Record<string, HostArray>>>
}

/** @throws OstrichError `ERR_OPTION`, for a network that ONNX cannot say; ShapeError, GraphError from the function */
export async function exportOnnx(model: Exported, path: string, options: OnnxOptions = {}): Promise<void> {
  expectKind('exportOnnx', 'path', is.text, path)
  expectOptions('exportOnnx', options, schema)
  const sizes = options.batch === undefined ? BATCHES : [options.batch]
  const graphs = sizes.map((batch) => traced(model, batch, options))
  const [graph] = graphs as [Graph, ...Graph[]]
  const assigned = new Set(graph.assigns.map(({ state }) => state))
  const read = graph.states.filter(({ tensor }) => !assigned.has(tensor)).map(({ name }) => name)
  await writeOnnx(path, onnxModel(graphs as [Graph, ...Graph[]], sizes, await model.values(read)))
}

function traced({ names, net, inputs: ways, field }: Exported, batch: number, { inputs, fn }: OnnxOptions) {
  return trace({ name: 'network', mode: 'eval', names }, () => {
    const extents = inputs?.(batch) ?? { x: { dtype: field.dtype, shape: batched(field, batch) } }
    const fed = Object.entries(extents).map(([name, extent]): [string, Tensor] => {
      const { dtype, shape } = 'shape' in extent ? extent : { dtype: 'f32' as DType, shape: extent }
      return [name, feed(name, dtype, shape)]
    })
    if (fn !== undefined) return fn(...fed.map(([, tensor]) => tensor))
    const [[name, x] = ['x', undefined]] = fed
    return { output: net(prepared(ways, name, x!)) }
  })
}
