// The built library, as the benchmarks use it: public names, and the rooms below the session for what it does not show.
export { nn, ops, optim, read, trace, Variable } from '../../dist/index.js'
export * as models from '../../dist/models/index.js'
export { compileGraph } from '../../dist/compile/index.js'
export { feed } from '../../dist/graph/index.js'
export { openDevice, versions } from '../../dist/runtime/index.js'
export { Programs } from '../../dist/train/programs.js'
export { StateStore } from '../../dist/train/state.js'
export { Trainer } from '../../dist/train/trainer.js'
