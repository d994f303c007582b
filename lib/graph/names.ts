// Paths of layers and variables (`lenet/conv1/w`), stable over all traces that share one Names object.
import type { Variable } from './variable.js'

/** Gives every layer and variable one path, decided where it is first used. */
export class Names {
  readonly #paths = new WeakMap<object, string>()
  readonly #taken = new Set<string>()

  /** Path of a layer under `parent`: its own name, or its kind with the next free ordinal (`conv1`, `conv2`). */
  layer(owner: object, parent: string, kind: string, name: string | undefined): string {
    return this.#path(owner, () => {
      if (name !== undefined) return this.#unique(join(parent, name))
      for (let ordinal = 1; ; ordinal++) {
        const path = join(parent, `${kind}${ordinal.toString()}`)
        if (!this.#taken.has(path)) return path
      }
    })
  }

  /** Path of a variable first read in the scope `parent`. */
  variable(variable: Variable, parent: string): string {
    return this.#path(variable, () => this.#unique(join(parent, variable.label)))
  }

  #path(owner: object, choose: () => string): string {
    const known = this.#paths.get(owner)
    if (known !== undefined) return known
    const path = choose()
    this.#taken.add(path)
    this.#paths.set(owner, path)
    return path
  }

  #unique(path: string): string {
    if (!this.#taken.has(path)) return path
    for (let ordinal = 2; ; ordinal++) {
      const next = `${path}_${ordinal.toString()}`
      if (!this.#taken.has(next)) return next
    }
  }
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`
}
