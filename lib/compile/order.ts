// A topological order that strays from the given one only where it must.

/** Puts every item after those that `before` names (others than `items` are ignored); free items keep their order. */
export function topological<T>(items: readonly T[], before: (item: T) => readonly T[]): T[] {
  const waiting = new Set(items)
  const result: T[] = []
  for (const root of items) {
    // An explicit stack: an unrolled loop can be deeper than the call stack.
    const stack = [root]
    for (let item = stack.at(-1); item !== undefined; item = stack.at(-1)) {
      const missing = waiting.has(item) ? before(item).filter((other) => other !== item && waiting.has(other)) : []
      if (missing.length > 0) {
        stack.push(...missing.toReversed())
        continue
      }
      stack.pop()
      if (waiting.delete(item)) result.push(item)
    }
  }
  return result
}
