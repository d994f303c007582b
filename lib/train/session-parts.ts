// What a session is made of, once it is open.
import type { Place } from './place.js'
import type { MeasureInfo } from './measure.js'
import type { Resolved } from './options.js'
import type { Programs } from './programs.js'
import type { Sources } from './source.js'
import type { StateStore } from './state.js'
import type { Trainer } from './trainer.js'
import type { Weights } from './weights.js'

/** What a session is made of. */
export interface SessionParts {
  readonly options: Resolved
  readonly sources: Sources
  readonly place: Place
  readonly store: StateStore
  readonly programs: Programs
  readonly trainer: Trainer
  readonly weights: Weights
  readonly measures: Readonly<Record<string, MeasureInfo>>
}
