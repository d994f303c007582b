// Optimisers, clipping and schedules: graph builders.
export { adagrad, type AdagradOptions } from './adagrad.js'
export { adam, type AdamOptions, adamW, type AdamWOptions } from './adam.js'
export { type Averaging, type AveragingOptions } from './averaging.js'
export { clipByGlobalNorm, globalNorm } from './clip.js'
export { optimizer, type Optimizer, type OptimizerOptions, type Rule, type Slot, type Update } from './optimizer.js'
export { type Chosen, type Group } from './groups.js'
export { type Plateau, type PlateauOptions } from './plateau.js'
export { rmsprop, type RmspropOptions } from './rmsprop.js'
export {
  cosine,
  type DecayOptions,
  exponential,
  oneCycle,
  type OneCycleOptions,
  type Schedule,
  type Step,
  stepDecay,
  type StepDecayOptions,
  warmup,
} from './schedules.js'
export { sgd, type SgdOptions } from './sgd.js'
