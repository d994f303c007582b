// A topological order that strays from the given one only where it must. Refuses a cycle.
import { GraphError } from '../graph/index.js'

/** Puts every item after those that `before` names (others than `items` are ignored); free items keep their order. */
export function topological<T>(items: readonly T[], before: (item: T) => readonly T[]): T[] {
  const waiting = new Set(items)
  const open = new Set<T>()
  const result: T[] = []
  for (const root of items) {
    // An explicit stack: an unrolled loop can be deeper than the call stack.
    const stack = [root]
    for (let item = stack.at(-1); item !== undefined; item = stack.at(-1)) {
      const missing = waiting.has(item) ? before(item).filter((other) => waiting.has(other)) : []
      if (missing.length > 0) {
        open.add(item)
        if (missing.some((other) => open.has(other))) throw new GraphError('order: expected no cycle, got one')
        stack.push(...missing.toReversed())
        continue
      }
      stack.pop()
      if (waiting.delete(item)) result.push(item)
    }
  }
  return result
}
