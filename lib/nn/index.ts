// Layers, losses, initialisers: graph builders. Knows no data and no device.
export * from './activations.js'
export {
  type Attended,
  multiHeadAttention,
  type MultiHeadAttention,
  type MultiHeadAttentionOptions,
} from './attention.js'
export {
  bidirectional,
  type Bidirectional,
  type BidirectionalCall,
  type BidirectionalOptions,
  type BidirectionalRun,
} from './bidirectional.js'
export { type Cell, recurrent } from './cell.js'
export { conv2d, type Conv2dOptions } from './conv2d.js'
export { convLstm2d, type ConvLstm2dOptions } from './conv-lstm2d.js'
export { conv1d, type Conv1dLayerOptions } from './conv1d.js'
export { convTranspose2d, type ConvTranspose2dLayerOptions } from './conv-transpose2d.js'
export { ctcLoss, type CtcLossOptions } from './ctc.js'
export { globalAvgPool2d, upsample2d } from './images.js'
export * as init from './init.js'
export { isLayer, layer, type Layer, type LayerInfo, type LayerOptions, named, type Step } from './layer.js'
export { linear, type LinearOptions } from './linear.js'
export {
  accuracy,
  binaryCrossEntropy,
  type BinaryCrossEntropyOptions,
  crossEntropy,
  type CrossEntropyOptions,
} from './losses.js'
export type { MeanOptions } from './averaged.js'
export * from './distances.js'
export { local2d, type Local2dOptions } from './local2d.js'
export { lrn, type LrnConvention, type LrnLayerOptions } from './lrn.js'
export { mrnn, type MrnnOptions } from './mrnn.js'
export { maxout, type MaxoutOptions } from './maxout.js'
export { maxout2d, type Maxout2dOptions } from './maxout2d.js'
export { batchNorm, type BatchNormLayerOptions, groupNorm, layerNorm, type NormLayerOptions } from './normalise.js'
export { parameter } from './parameter.js'
export { peepholeLstm, type PeepholeLstmOptions } from './peephole-lstm.js'
export { withFreshStreams } from '../ops/streams.js'
export { avgPool2d, maxPool2d } from './pool2d.js'
export type { AnyRecurrent, RecurrenceOptions, Recurrent, RecurrentCall, RecurrentRun, States } from './recurrence.js'
export {
  gru,
  type GruOptions,
  lstm,
  type LstmOptions,
  type RecurrentOptions,
  rnn,
  type RnnOptions,
} from './recurrent.js'
export * from './reshaping.js'
export { residual } from './residual.js'
export { sequential } from './sequential.js'
export { cmvn, type CmvnOptions } from './speech/cmvn.js'
export type { FilterOptions, SpectrumOptions, SpeechConvention } from './speech/conventions.js'
export { deltas, type DeltasOptions } from './speech/deltas.js'
export { filterBanks, type FilterBanksOptions, spectrogram } from './speech/filter-banks.js'
export type { FrameCall, Framed, FrameLayer, Samples } from './speech/frame-layer.js'
export type { Edges } from './speech/framing.js'
export type { Energy } from './speech/log-filters.js'
export type { Warp } from './speech/mel.js'
export { mfcc, type MfccOptions } from './speech/mfcc.js'
export type { SequenceCall, SequenceLayer } from './speech/sequence-layer.js'
export { specAugment, type SpecAugmentOptions } from './speech/spec-augment.js'
export type { WindowName } from './speech/windows.js'
export { standardise, type StandardiseOptions } from './standardise.js'
export { subtractiveNorm, type SubtractiveNormOptions } from './subtractive-norm.js'
export { formatSummary, summary, type Summary, type SummaryInput, type SummaryRow } from './summary.js'
export type {
  Accepts,
  Fans,
  Features,
  Images,
  Indices,
  Initializer,
  Output,
  Result,
  SameChannels,
  SameShape,
} from './types.js'
export { withWeightNoise } from './weight-noise.js'
