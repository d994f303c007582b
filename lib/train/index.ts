// Training: sessions, and what they need and leave.
export { checkCheckpoint, type Checked, type CheckpointInfo, inspectCheckpoint } from './checkpoint.js'
export type { Compiled, CompileOptions, Extent, Results } from './compiled.js'
export type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  MetricName,
  Metrics,
  StartEvent,
  StepEvent,
  StoppedEvent,
  TrainEvent,
  WarningEvent,
} from './events.js'
export type { PlaceOptions, SessionOptions, SessionPrecision } from './options.js'
export type { PredictOptions } from './predictor.js'
export type { Preparation, Preparations } from './preparation.js'
export { profile, type Profile, type ProfileKind, type ProfileOptions, type ProfileRow } from './profile.js'
export { makeRunFolder, openRunLog, type RunLog, type RunLogOptions, runName } from './run-log.js'
export { session } from './open-session.js'
export type { Session } from './session.js'
export type { Fields, TrainingData, UserBatches } from './source.js'
export type { Inputs, Loss, Network, OverTime } from './task.js'
