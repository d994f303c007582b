// Public names of `ops`, one family per line; loading a family registers its ops.
export type { Activation } from './activation.js'
export type { Broadcast } from './broadcast.js'
export { broadcastTo, type ReduceOptions, type Requested, reshape, sum } from './axes.js'
export { parameterGradient, stopGradient } from './marker.js'
export { ones, scalar, zeros } from './operand.js'
import './pointwise-chain.js'
export {
  abs,
  add,
  cast,
  cos,
  div,
  equal,
  exp,
  expm1,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from './pointwise.js'
export * from './nonlinearity.js'
export * from './logical.js'
export * from './reduce.js'
export * from './reshape.js'
export * from './matmul.js'
export * from './conv2d.js'
export { conv1d, type Conv1dOptions, globalAvgPool2d, upsample2d, type UpsampleOptions } from './images.js'
export * from './pool2d.js'
export * from './lrn.js'
export { unfold, type WindowOptions } from './unfold.js'
export { local2d } from './local2d.js'
export { groupNorm, layerNorm, type NormOptions } from './group-norm.js'
export { batchNorm, type BatchNormOptions, type BatchNormResult, channelAffine } from './batch-norm.js'
export * from './softmax.js'
export { ctc, type CtcOptions } from './ctc.js'
export { attention, type AttentionOptions } from './attention.js'
export { gather, scatterAdd } from './gather.js'
export { assignRows, coalesce, setRows } from './rows.js'
export {
  word2vec,
  type Word2vecNegatives,
  type Word2vecOptions,
  type Word2vecStep,
  type Word2vecTree,
} from './word2vec.js'
export * from './cumsum.js'
export * from './top-k.js'
export {
  bernoulli,
  dropout,
  type NormalOptions,
  randomNormal,
  randomUniform,
  seed,
  step,
  type UniformOptions,
} from './random.js'
export * from './lstm.js'
export * from './rnn.js'
export * from './gru.js'
export type { SequenceOptions } from './sequence.js'
export { sequenceMask } from './sequence-mask.js'
export type { Padding, Pair } from './window.js'
