// Experiments: what several trained networks are put through, and the tables and pages that come of it.
export { drawExamples, type Examples, type LabelRule, predicted, unitRange, wrongLabels } from './examples.js'
export { type Fooled, foolAll, type FooledPicture, type FooledRow, type FoolOptions } from './fool.js'
export {
  addingNetwork,
  addingProblem,
  blind,
  type CellKind,
  cells,
  type LagOptions,
  type LagResult,
  learned,
  measureLag,
  median,
} from './lags.js'
export { lagsPicture } from './lags-picture.js'
export { layouts, networks } from './layouts.js'
export { convolutionNorm, largestSingular, type LayerBound, lipschitzBounds } from './lipschitz.js'
export { measureNegatives, type NegativeOptions, type Negatives, rounded } from './negatives.js'
export {
  answers,
  errorOf,
  errorOn,
  fgsmError,
  nearest,
  type Report,
  type Trained,
  trained,
  type TrainingOptions,
} from './network.js'
export { type PoolOptions, type PoolResult, trainOnPool } from './pool.js'
