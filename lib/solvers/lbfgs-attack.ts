// The nearest image of another class: minimise c |r|^2 + loss(x + r, l) with x + r in a box, for the largest c at which the
// minimiser still has the label l. Szegedy et al. 2013, "Intriguing properties of neural networks", section 4.1, with the square of
// |r|, which is smooth at 0, and c at the distortion: there a larger c gives a smaller r. Each row searches its own c, and goes on
// from one c to the next where it stands: from a pair of steps under c comes that under c', for the change of c |r|^2 is known.
import { vjp } from '../autodiff/index.js'
import { expectOptions, is } from '../base/index.js'
import { assign, constant, type HostArray, OstrichError, read, type Tensor, Variable } from '../graph/index.js'
import * as ops from '../ops/index.js'
import { type Classifier, expectLogits, expectPath } from './classifier.js'
import type { Compiler } from './compiler.js'
import { RowIteration, type RowPhases } from './row-iteration.js'
import type { Pair } from './row-direction.js'
import { type RowOptions, rowOptions, RowProblem, runningRows } from './row-problem.js'
import { chosenRows, type Rows, rowStatus, unknown } from './row-step.js'

/** Options of `lbfgsAttack`, and those of the solver within. */
export interface LbfgsAttackOptions extends Omit<RowOptions, 'given'> {
  /** Values of c that each row tries: by powers of ten until one reaches the label and one does not, then between. Default: 12. */
  readonly rounds?: number
  /** The first c. Default: 1. */
  readonly weight?: number
  /** Whether each c starts where the last one ended, in the place of the image. Default: true. */
  readonly resume?: boolean
  /** Whole steps from 0 to 1 in which an image is kept, such as 255: its label must also hold after rounding to them. Default: none. */
  readonly levels?: number
}

/** What was found for each of M images. */
export interface LbfgsAttackResults {
  /** f32 [M, ...]: the nearest minimiser that has the label; the image itself where none was reached. */
  readonly x: Float32Array
  /** 1 where the label was reached, else 0. */
  readonly reached: Uint8Array
  /** Root of the mean square of r over the elements of an image; NaN where the label was not reached. */
  readonly distortion: Float32Array
  /** The largest c that reached the label; 0 where none did. */
  readonly weight: Float32Array
}

/** Options of one run of an attack. */
export interface LbfgsAttackRun {
  /** Told how many images have ended, from time to time. */
  readonly onProgress?: (done: number) => void
}

/** Attacks images, N at a time; made by `lbfgsAttack`. */
export interface LbfgsAttack extends Disposable {
  /**
   * Attacks any number M of images; a row that has ended goes on with the next image, so that memory is that of N.
   * @param images f32 [M, ...]
   * @param target i32 [M], the label to reach for each; one that is no class is `ERR_DATA`
   * @throws OstrichError `ERR_STATE` while another call runs, `ERR_DISPOSED` after dispose; `ERR_DATA` for inputs that do not fit, and
   * for a label that the image has already; `ERR_NOT_FINITE` where the loss or its gradient at an image is not finite
   */
  run(images: Float32Array, target: Int32Array, options?: LbfgsAttackRun): Promise<LbfgsAttackResults>
  /** Frees its programs and their memory. */
  dispose(): void
}

/** Why a row cannot start. */
const faults = { reached: 1, notFinite: 2 } as const

/** From one c to the next while the label is always, or never, reached. */
const stride = 10

/**
 * Compiles a search for the nearest images that a classifier takes for others: cross-entropy as the loss, in f32.
 * @param compiler a session, whose variables the classifier may read
 * @throws OstrichError `ERR_ARGUMENT` for options out of range; ShapeError where the classifier does not give logits
 * @example
 * using attack = await solvers.lbfgsAttack(session, net, { shape: [100, 784] })
 * const { x, distortion } = await attack.run(images, wrongLabels)
 */
export async function lbfgsAttack(
  compiler: Compiler,
  net: Classifier,
  options: LbfgsAttackOptions,
): Promise<LbfgsAttack> {
  const { given: _, ...shared } = rowOptions
  const own = { rounds: is.number, weight: is.number, resume: is.flag, levels: is.number }
  expectOptions<LbfgsAttackOptions>('lbfgsAttack', options, { ...shared, ...own })
  const iteration = await RowIteration.compile('lbfgsAttack', compiler, new Search(net, options))
  const dispose = (): void => {
    iteration.dispose()
  }
  return {
    async run(images, target, settings = {}) {
      expectOptions('lbfgsAttack', settings, { onProgress: is.callable })
      const results = await iteration.run({ x: images, target }, settings.onProgress)
      const { distortion, ...found } = results as unknown as LbfgsAttackResults
      return { ...found, distortion: distortion.map((value, row) => (found.reached[row] === 1 ? value : NaN)) }
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

/** What a row knows of its c: all f32 [N, 1] but the best image, f32 [N, D]. */
interface Bracket {
  /** The largest c that reached the label, and the smallest that did not; 0 and `unknown` where there is none. */
  readonly low: Tensor
  readonly high: Tensor
  readonly round: Tensor
  readonly best: Tensor
  /** |r|^2 of the best image, `unknown` where there is none. */
  readonly distance: Tensor
}

const labels = ['low', 'high', 'round', 'best', 'distance'] as const

/** The search for c around the solver. */
class Search implements RowPhases {
  readonly inputs: RowPhases['inputs']
  readonly #problem: RowProblem
  readonly #net: Classifier
  readonly #rounds: number
  readonly #weight: number
  readonly #resume: boolean
  readonly #levels: number | undefined
  readonly #variables: Readonly<Record<keyof Bracket, Variable>>
  readonly #c: Variable

  constructor(net: Classifier, { rounds = 12, weight = 1, resume = true, levels, ...options }: LbfgsAttackOptions) {
    if (!Number.isSafeInteger(rounds) || rounds < 1) refuse('rounds to be a whole number above 0', rounds)
    if (!(weight > 0 && weight < unknown)) refuse('weight to be a number above 0', weight)
    if (levels !== undefined && !(Number.isSafeInteger(levels) && levels >= 1)) {
      refuse('levels to be a whole number above 0', levels)
    }
    const { shape, bounds = { lower: 0, upper: 1 } } = options
    if (levels !== undefined && (bounds.lower !== 0 || bounds.upper !== 1)) {
      refuse('bounds from 0 to 1 beside levels', JSON.stringify(bounds))
    }
    const rows = shape[0] ?? 1
    const given = { image: shape, target: { dtype: 'i32', shape: [rows] } } as const
    this.#problem = new RowProblem('lbfgsAttack', { ...options, bounds, given }, { resumes: resume })
    this.#resume = resume
    this.#levels = levels
    this.inputs = { x: shape, target: given.target }
    this.#net = net
    this.#rounds = rounds
    this.#weight = weight
    const size = shape.slice(1).reduce((product, extent) => product * extent, 1)
    const variable = (label: string): Variable => {
      const own = [rows, label === 'best' ? size : 1]
      const init = () => constant('f32', own, 0)
      return new Variable({ label: `lbfgsAttack.${label}`, dtype: 'f32', shape: own, role: 'scratch', init })
    }
    this.#variables = Object.fromEntries(labels.map((label) => [label, variable(label)])) as Record<
      keyof Bracket,
      Variable
    >
    this.#c = variable('c')
  }

  start({ x, target }: Readonly<Record<string, Tensor>>, fresh: Tensor): Readonly<Record<string, Tensor>> {
    this.#problem.start(x!, { image: x!, target: target! }, fresh)
    const row = (value: number) => constant('f32', [this.#problem.rows, 1], value)
    assign(this.#c, ops.where(fresh, this.#weight, read(this.#c)))
    const first = { low: row(0), high: row(unknown), round: row(0), best: this.#flat(x!), distance: row(unknown) }
    const before = this.#bracket()
    for (const label of labels) assign(this.#variables[label], ops.where(fresh, first[label], before[label]))
    return { fault: this.#fault(x!, ops.reshape(ops.cast(target!, 'i32'), [this.#problem.rows])) }
  }

  refusal(fault: number, problem: number, { target }: Readonly<Record<string, HostArray>>): Error {
    if (fault === faults.reached) {
      const expected = `a label other than the one that the classifier gives to image ${problem}`
      return new OstrichError('ERR_DATA', `lbfgsAttack[target]: expected ${expected}, got ${target?.[problem] ?? ''}`)
    }
    const expected = `a finite loss and gradient at image ${problem}`
    return new OstrichError('ERR_NOT_FINITE', `lbfgsAttack: expected ${expected}, got one that is not`)
  }

  cycle(): Tensor {
    const { image, target } = this.#problem.given as { image: Tensor; target: Tensor<'i32', [number]> }
    const c = read(this.#c)
    const { rows, pairs } = this.#problem.cycle((x: Tensor) => {
      const away = this.#distance(this.#flat(x), image)
      return ops.add(ops.reshape(ops.mul(c, away), [-1]), ops.crossEntropy(this.#logits(x), target))
    })
    const before = this.#bracket()
    const ended = ops.equal(ops.equal(rows.status, rowStatus.running), 0)
    const done = ops.minimum(ended, ops.less(before.round, this.#rounds))
    const bracket = this.#judge(before, { rows, image, target, done })
    for (const label of labels) assign(this.#variables[label], bracket[label])
    const next: Tensor = ops.where(done, nextWeight(bracket), c)
    assign(this.#c, next)
    const again = ops.minimum(done, ops.less(bracket.round, this.#rounds))
    // Without `resume` a row starts again from its image; that it knows no pair clears its history.
    const fresh = this.#resume ? this.#problem.again(rows) : this.#problem.first(image)
    const following = chosenRows(again, fresh, rows)
    this.#problem.save(following, this.#resume ? pairs.map((pair) => reweighted(pair, ops.sub(next, c))) : pairs)
    return runningRows(following)
  }

  finish(): Readonly<Record<string, Tensor>> {
    const { best, distance, low } = this.#bracket()
    const row = (value: Tensor) => ops.reshape(value, [this.#problem.rows])
    return {
      ended: this.#problem.ended,
      x: this.#problem.shaped(best),
      reached: row(ops.less(distance, unknown)),
      distortion: row(ops.sqrt(ops.div(distance, best.shape[1] ?? 1))),
      weight: row(low),
    }
  }

  /** Takes in where the rows in `done` ended. */
  #judge(before: Bracket, { rows, image, target, done }: Ended): Bracket {
    const has = ops.minimum(this.#has(rows.x, target), ops.less(rows.value, unknown))
    const [reached, failed] = [ops.minimum(done, has), ops.minimum(done, ops.equal(has, 0))]
    const c = read(this.#c)
    const away = this.#distance(rows.x, image)
    const nearer = ops.minimum(reached, ops.less(away, before.distance))
    return {
      low: ops.where(reached, c, before.low),
      high: ops.where(failed, c, before.high),
      round: ops.add(before.round, ops.cast(done, 'f32')),
      best: ops.where(nearer, rows.x, before.best),
      distance: ops.where(nearer, away, before.distance),
    }
  }

  /** Whether rows of x [N, D] have their label, and have it still after rounding, u8 [N, 1]. */
  #has(x: Tensor, target: Tensor): Tensor {
    const given = (from: Tensor) =>
      ops.reshape(ops.equal(ops.argmax(this.#logits(this.#problem.shaped(from))), target), [-1, 1])
    if (this.#levels === undefined) return given(x)
    const rounded = ops.div(ops.floor(ops.add(ops.mul(x, this.#levels), 0.5)), this.#levels)
    return ops.minimum(given(x), given(rounded))
  }

  /** Why a row cannot start, f32 [N]; 0 where it can. */
  #fault(x: Tensor, target: Tensor<'i32', [number]>): Tensor {
    const logits = this.#logits(x)
    const loss = ops.crossEntropy(logits, target)
    const gradient = this.#flat(expectPath('lbfgsAttack', vjp([loss], [constant('f32', loss.shape, 1)], x)))
    const size = ops.add(ops.sum(ops.abs(gradient), 1), ops.abs(loss))
    const finite = ops.less(size, unknown)
    const reached = ops.mul(ops.cast(ops.equal(ops.argmax(logits), target), 'f32'), faults.reached)
    return ops.where(finite, reached, faults.notFinite)
  }

  #bracket(): Bracket {
    return Object.fromEntries(labels.map((label) => [label, read(this.#variables[label])])) as unknown as Bracket
  }

  #logits(x: Tensor): Tensor<'f32', [number, number]> {
    return expectLogits('lbfgsAttack', this.#net(x), this.#problem.rows)
  }

  #flat(x: Tensor): Tensor {
    return ops.reshape(x, [this.#problem.rows, -1])
  }

  /** |x - image|^2 of each row, [N, 1]. */
  #distance(x: Tensor, image: Tensor): Tensor {
    return ops.sum(ops.square(ops.sub(x, this.#flat(image))), 1, { keepDims: true })
  }
}

interface Ended {
  readonly rows: Rows
  readonly image: Tensor
  readonly target: Tensor
  /** u8 [N, 1] */
  readonly done: Tensor
}

/** The c between those known, in logarithms, or beyond them. */
function nextWeight({ low, high }: Bracket): Tensor {
  const between = ops.sqrt(ops.mul(low, high))
  const beyond = ops.where(ops.lessEqual(unknown, high), ops.mul(low, stride), between)
  return ops.where(ops.lessEqual(low, 0), ops.div(high, stride), beyond)
}

/** A pair after c has changed: the gradient of c |r|^2 changes by 2 c s along a step s. `change` is [N, 1]. */
function reweighted({ s, y }: Pair, change: Tensor): Pair {
  return { s, y: ops.add(y, ops.mul(ops.mul(change, 2), s)) }
}

function refuse(expected: string, got: number | string): never {
  throw new OstrichError('ERR_ARGUMENT', `lbfgsAttack: expected ${expected}, got ${got}`)
}
