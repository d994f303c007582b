// What makes ONNX operators of a node.
import type { Node } from '../../graph/index.js'
import type { Emitter } from './emitter.js'
import type { Extent } from './extents.js'

/** A node of the first graph, with the names of its inputs. */
export interface Conversion {
  readonly emitter: Emitter
  readonly node: Node
  readonly inputs: readonly string[]
  /** An attribute that is a list of integers, some of which may depend on the batch. */
  readonly ints: (name: string) => readonly Extent[]
  /** The same, where none may. @throws OstrichError `ERR_OPTION` */
  readonly fixed: (name: string) => readonly number[]
  /** Extents of an input, or of the first output where none is told. */
  readonly shape: (input?: number) => readonly Extent[]
}

/** Adds operators; gives the names of the node's outputs, as many as ONNX has. */
export type Converter = (conversion: Conversion) => readonly string[]
