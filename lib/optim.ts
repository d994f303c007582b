// Public names of `optim`: what updates the parameters of a network, and what minimises a function of one's own.
export * from './optim/index.js'
export { type Bounds } from './solvers/box.js'
export { lbfgsb, type LbfgsbResult, type LbfgsbStatus } from './solvers/lbfgsb.js'
export { type LbfgsbOptions } from './solvers/lbfgsb-options.js'
export { type Evaluation, type Objective, type Point } from './solvers/objective.js'
