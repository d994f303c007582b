// Moments of parameters: statistics that start at zero and lie beside their parameter, `lenet/conv1/w.momentum`.
import { constant, Variable } from '../graph/index.js'

/** All but the last part of a path. */
export function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/')
}

/** The moments of one optimiser, each made when it is first asked for. */
export class Moments {
  readonly #known = new WeakMap<Variable, Map<string, Variable>>()

  /** The moment `name` of a parameter whose path is `path`. */
  of(parameter: Variable, path: string, name: string): Variable {
    const own = this.#known.get(parameter) ?? new Map<string, Variable>()
    this.#known.set(parameter, own)
    const moment = own.get(name) ?? zerosBeside(parameter, path, name)
    own.set(name, moment)
    return moment
  }
}

function zerosBeside({ label, shape }: Variable, path: string, name: string): Variable {
  const own = path.split('/').at(-1) ?? label
  const init = () => constant('f32', shape, 0)
  return new Variable({ label: `${own}.${name}`, dtype: 'f32', shape, role: 'statistic', init })
}
