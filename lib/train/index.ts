// Public names of `train`.
export { checkCheckpoint, type Checked, type CheckpointInfo, inspectCheckpoint } from './checkpoint.js'
export type { Compiled, CompileOptions, Extent, Results } from './compiled.js'
export type * from './events.js'
export { type EvaluateOptions, load, type LoadOptions, type Model } from './model.js'
export type { PlaceOptions, SessionOptions, SessionPrecision } from './options.js'
export type { PredictOptions } from './predictor.js'
export type { Preparation, Preparations } from './preparation.js'
export { profile, type Profile, type ProfileKind, type ProfileOptions, type ProfileRow } from './profile.js'
export {
  type CountState,
  createProgress,
  type Progress,
  type ProgressOptions,
  type ProgressState,
  type ProgressStream,
} from './progress.js'
export { makeRunFolder, openRunLog, type RunLog, type RunLogOptions, runName } from './run-log.js'
export {
  CheckpointError,
  openSafetensors,
  type SafetensorsFile,
  type TensorArray,
  type TensorDtype,
  type TensorSource,
  writeSafetensors,
} from './safetensors.js'
export {
  type Completer,
  completer,
  type CompleterOptions,
  type Completion,
  keystrokes,
  type Keystrokes,
} from './completer.js'
export { type DrawOptions, type Drawn, type Sampler, type SamplerOptions } from './sampler.js'
export { session } from './open-session.js'
export type { Session } from './session.js'
export type { Fields, TrainingData, UserBatches } from './source.js'
export type { Inputs, Loss, Network, OverTime } from './task.js'
