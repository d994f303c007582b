// Options of some parameters alone, which are chosen by their paths. Refuses a choice that no parameter meets.
import { expectOptions, is, nearestPath, OstrichError, pathPattern, type Schema } from '../base/index.js'
import type { Variable } from '../graph/index.js'
import { expectRange } from './ranges.js'
import type { Schedule } from './schedules.js'

/** A parameter as options that choose among parameters see it; `path` such as `lenet/conv1/w`. */
export interface Chosen {
  readonly variable: Variable
  readonly path: string
}

/** Options of the parameters that a pattern or a function chooses. */
export interface Group {
  /**
   * Paths, where a star stands for any part of a name, and two for any number of whole names: `encoder/**` is all that lies
   * below `encoder`; or a function that says of each parameter whether it belongs.
   */
  readonly match: string | ((parameter: Chosen) => boolean)
  /** Factor on the rate, or a schedule of it. Default: 1. */
  readonly rateFactor?: number | Schedule
  /** In place of the optimiser's. */
  readonly weightDecay?: number
  /**
   * After each update, scales the weights of every output unit w[o, ...] down to this norm where theirs is larger: Srivastava et al.
   * 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 5.1. Of `linear` and `conv2d`, whose first axis is
   * of output units; parameters with fewer than two axes (biases) are left. Default: no limit.
   */
  readonly maxNorm?: number
  /** They keep their values: no gradient, no moments, no update. Default: false. */
  readonly frozen?: boolean
}

const rateFactor = is.either(is.number, is.kind('a schedule', is.callable.accepts))
const schema: Schema<Group> = {
  match: is.needed(is.either(is.text, is.callable)),
  rateFactor,
  weightDecay: is.number,
  maxNorm: is.number,
  frozen: is.flag,
}

/** The options of one parameter; of several groups that give an option, the last decides. */
export type Settings = Omit<Group, 'match'>

/** The groups of one optimiser. */
export class Groups {
  readonly #where: string
  readonly #groups: readonly (Settings & {
    readonly match: Group['match']
    readonly chooses: (parameter: Chosen) => boolean
  })[]
  /** Paths of all parameters that it was told of. */
  readonly #paths = new Map<string, Variable>()

  /** @throws OstrichError `ERR_OPTION` */
  constructor(name: string, groups: readonly Group[]) {
    this.#where = `optim.${name}[groups]`
    this.#groups = groups.map((group, i) => {
      const where = `${name}[groups][${i}]`
      expectOptions(`optim.${where}`, group, schema)
      const { match, rateFactor: factor = 1, weightDecay = 0, maxNorm = 1 } = group
      if (typeof factor === 'number') expectRange(where, 'rateFactor', factor, 'a number of at least 0')
      expectRange(where, 'weightDecay', weightDecay, 'a number of at least 0')
      expectRange(where, 'maxNorm', maxNorm, 'a number above 0')
      const pattern = typeof match === 'string' ? pathPattern(match) : undefined
      const chooses = (parameter: Chosen) =>
        typeof match === 'string' ? pattern!.test(parameter.path) : match(parameter)
      return { ...group, chooses }
    })
  }

  of(parameter: Chosen): Settings {
    const own = this.#groups.filter((group) => group.chooses(parameter))
    return own.reduce<Settings>((settings, group) => ({ ...settings, ...group }), {})
  }

  /**
   * Takes note of parameters, and checks that each group has one among all that were told of.
   * @throws OstrichError `ERR_OPTION` naming the group and the nearest path
   */
  meet(parameters: readonly Chosen[]): void {
    for (const { path, variable } of parameters) this.#paths.set(path, variable)
    const all = Array.from(this.#paths, ([path, variable]) => ({ path, variable }))
    for (const [i, { match, chooses }] of this.#groups.entries()) {
      if (all.some(chooses)) continue
      const where = `${this.#where}[${i}]`
      if (typeof match !== 'string') {
        const list = all.map(({ path }) => path).join(', ')
        throw new OstrichError(
          'ERR_OPTION',
          `${where}: expected a function that chooses one of ${list}, got none chosen`,
        )
      }
      const nearest = nearestPath(match, [...this.#paths.keys()])
      const near = nearest === undefined ? '' : `; the nearest is ${nearest}`
      throw new OstrichError('ERR_OPTION', `${where}: expected a pattern of a parameter's path, got ${match}${near}`)
    }
  }
}
