// Solvers: what minimises a function itself, in a loop of its own.
export { type CompiledFunction, type Compiler, type Extent } from './compiler.js'
export { NotFiniteError } from './objective.js'
export { rowMinimizer, type RowMinimizer, type RowResults, type RowStatus } from './row-minimizer.js'
export { type RowObjective, type RowOptions } from './row-problem.js'
export { type LossAndOutput, adversarialLoss, type AdversarialLossOptions } from './adversarial-loss.js'
export { type Classifier } from './classifier.js'
export { fgsm, type FgsmOptions, type GradientAttack, pgd, type PgdOptions } from './gradient-attack.js'
export {
  lbfgsAttack,
  type LbfgsAttack,
  type LbfgsAttackOptions,
  type LbfgsAttackResults,
  type LbfgsAttackRun,
} from './lbfgs-attack.js'
