// Errors of everything that happens before a program reaches a device.

import { OstrichError } from '../base/index.js'

export { OstrichError }

/** Extents or element types do not fit the op (`ERR_SHAPE`). */
export class ShapeError extends OstrichError {
  constructor(message: string) {
    super('ERR_SHAPE', message)
  }
}

/** The graph itself is malformed, or an op was used in a way it does not allow (`ERR_GRAPH`). */
export class GraphError extends OstrichError {
  constructor(message: string) {
    super('ERR_GRAPH', message)
  }
}
