// Public names of `ostrich`. Data sets, networks and recipes have entry points of their own.
export * as nn from './nn/index.js'
export * as ops from './ops/index.js'
export * as optim from './optim.js'
export * as solvers from './solvers/index.js'
export * as train from './train.js'
export { grad, vjp } from './autodiff/index.js'
export {
  assign,
  constant,
  type DType,
  feed,
  GraphError,
  type HostArray,
  type HostArrays,
  OstrichError,
  printGraph,
  read,
  type Shape,
  ShapeError,
  Tensor,
  trace,
  Variable,
} from './graph/index.js'
export { DataError } from './data/index.js'
export { DeviceError, diagnose, type Diagnosis, openDevice, type Device } from './runtime/index.js'
export { CheckpointError } from './files/index.js'
