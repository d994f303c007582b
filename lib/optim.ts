// Public names of `optim`: what updates the parameters of a network, and what minimises a function of one's own.
export * from './optim/index.js'
export {
  type Bounds,
  type Evaluation,
  lbfgsb,
  type LbfgsbOptions,
  type LbfgsbResult,
  type LbfgsbStatus,
  type Objective,
  type Point,
} from './solvers/index.js'
