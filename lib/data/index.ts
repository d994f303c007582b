// Public names of `ostrich/data`.
export { DataError } from './errors.js'
export { arrays } from './arrays.js'
export type { FieldData } from './arrays.js'
export { batched, fieldOptions } from './dataset.js'
export type { Buckets, Dataset, EpochKey, Extents, FieldArray, FieldDtype, Fields, FieldSpec } from './dataset.js'
export type { BatchShape } from './buckets.js'
export { sequences } from './sequences.js'
export type { SequenceData, SequenceFields, SequencesOptions } from './sequences.js'
export { subset } from './subset.js'
export { type CsvField, type CsvOptions, type CsvSet, readCsv } from './csv.js'
export { split, type Split, type SplitOptions } from './split.js'
export { type Example, type ExamplePlace, map, type Mapped } from './map.js'
export { moments, type Moments, type MomentsOptions } from './moments.js'
export type { HoldBackOptions } from './hold-back.js'
export { batches, permutation, stepsPerEpoch } from './batches.js'
export type { Batch, BatchOptions } from './batches.js'
export { fromBatches } from './user-batches.js'
export type { UserBatch, UserBatchOptions } from './user-batches.js'
export { prefetch } from './prefetch.js'
export { madeUp } from './made-up.js'
export { philox4x32, PhiloxStream } from './philox.js'
export { type NpyArray, type NpyData, readNpy, readNpz, writeNpy, writeNpz } from './npy-arrays.js'
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
export { brown, type Brown, type BrownOptions, getBrown, type GetBrownOptions } from './sources/brown.js'
export {
  getMulti30k,
  type GetMulti30kOptions,
  multi30k,
  type Multi30k,
  type Multi30kLanguage,
  type Multi30kOptions,
} from './sources/multi30k.js'
export { an4, type An4Options, getAn4 } from './sources/an4.js'
export { digitWords, fsdd, type FsddOptions, type FsddSpeaker, fsddSpeakers, getFsdd } from './sources/fsdd.js'
export { getTimit, timit, type TimitOptions } from './sources/timit.js'
export { getYesno, yesno, type YesnoOptions } from './sources/yesno.js'
export * from './audio/index.js'
export * from './image/index.js'
export * from './numbers/index.js'
export * from './text/index.js'
export * from './video/index.js'
