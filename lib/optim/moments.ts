// Moments of parameters: statistics that start at zero and lie beside their parameter, `lenet/conv1/w.momentum`.
import { constant, keptBy, Variable } from '../graph/index.js'

/** All but the last part of a path. */
export function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/')
}

/** The moments of one optimiser, each made when it is first asked for. */
export class Moments {
  readonly #owners = new WeakMap<Variable, object>()

  /** The moment `name` of a parameter whose path is `path`. */
  of(parameter: Variable, path: string, name: string): Variable {
    const owner = this.#owners.get(parameter) ?? {}
    this.#owners.set(parameter, owner)
    return keptBy(owner, name, () => zerosBeside(parameter, path, name))
  }
}

function zerosBeside({ label, shape }: Variable, path: string, name: string): Variable {
  const own = path.split('/').at(-1) ?? label
  const init = () => constant('f32', shape, 0)
  return new Variable({ label: `${own}.${name}`, dtype: 'f32', shape, role: 'statistic', init })
}
