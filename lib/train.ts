// Public names of `train`: training, the trained network in use, its files, and how a run is shown.
export * from './train/index.js'
export * from './infer/index.js'
export {
  openSafetensors,
  type SafetensorsFile,
  type TensorArray,
  type TensorDtype,
  type TensorSource,
  writeSafetensors,
} from './files/index.js'
export {
  type CountState,
  createProgress,
  type Progress,
  type ProgressOptions,
  type ProgressState,
  type ProgressStream,
} from './report/index.js'
