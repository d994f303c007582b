// Training: sessions, and what they need and leave.
export { checkCheckpoint, type Checked, type CheckpointInfo, inspectCheckpoint } from './checkpoint.js'
export type { Compiled, CompileOptions, Extent, Results, Traceable } from './compiled.js'
export type {
  Best,
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  Metrics,
  StartEvent,
  StepEvent,
  StoppedEvent,
  TrainEvent,
  WarningEvent,
} from './events.js'
export { type EventWriter, eventWriter } from './event-writer.js'
export { frameMoments, type FrameMomentsOptions, type Frames } from './frame-moments.js'
export type { LoadedWeights, LoadWeightsOptions } from './load-weights.js'
export * as measures from './measures.js'
export type { Measured } from './objective.js'
export type { ObjectiveOptions, PlaceOptions, SessionOptions, SessionPrecision } from './options.js'
export type { PredictOptions } from './predictor.js'
export type { Preparation, Preparations } from './preparation.js'
export { profile, type Profile, type ProfileKind, type ProfileOptions, type ProfileRow } from './profile.js'
export { makeRunFolder, openRunLog, type RunLog, type RunLogOptions, runName } from './run-log.js'
export { session } from './open-session.js'
export type { Session } from './session.js'
export type { TrainingData, UserBatches } from './source.js'
export type { FieldTensor, FieldTensors, Inputs, Loss, Network, Objective, Outcome, OverTime } from './types.js'
export type { WordVectorsOptions, WordVectorsProgress } from './words/options.js'
export { type TrainedWords, wordVectors } from './words/train.js'
