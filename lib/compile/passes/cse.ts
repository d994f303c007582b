// Common subexpressions: the same op on the same inputs with the same attributes is computed once. Random draws take
// part: they are pure functions of seed, step and stream.
import type { Attrs, Graph, Node, Tensor } from '../../graph/index.js'
import { rewrite } from '../rewrite.js'

class Keys {
  readonly #ids = new Map<Tensor | string, number>()

  #id(key: Tensor | string): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.#ids.size)
    return this.#ids.size - 1
  }

  /** Constants are equal when their contents are. */
  #operand(tensor: Tensor): number {
    return this.#id(tensor.node.op.name === 'constant' ? attributes(tensor.node.attrs) : tensor)
  }

  of(node: Node): string {
    const inputs = node.inputs.map((tensor) => this.#operand(tensor)).join(',')
    return `${node.op.name}(${inputs})${attributes(node.attrs)}`
  }
}

function attributes(attrs: Attrs): string {
  return JSON.stringify(
    Object.keys(attrs)
      .sort()
      .map((key) => [key, attrs[key]]),
  )
}

export function cse(graph: Graph): Graph {
  const keys = new Keys()
  const first = new Map<string, Node>()
  return rewrite(graph, (node) => {
    const key = keys.of(node)
    const known = first.get(key)
    if (known === undefined) first.set(key, node)
    return known?.outputs
  })
}
