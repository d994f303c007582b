// Paths such as `net/encoder/conv1/w`, chosen by patterns.

/** A pattern as an expression over whole paths: a star stands for any part of a name, two for any number of whole names. */
export function pathPattern(pattern: string): RegExp {
  const names = pattern.split('/')
  const parts = names.map((name, i) => {
    const isLast = i === names.length - 1
    if (name === '**') return isLast ? '.*' : '(?:[^/]+/)*'
    const text = name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')
    return isLast ? text : `${text}/`
  })
  return new RegExp(`^${parts.join('')}$`)
}

/** The path that takes the fewest edits to be one that the pattern matches; undefined where there are no paths. */
export function nearestPath(pattern: string, paths: readonly string[]): string | undefined {
  const ranked = paths.map((path) => ({ path, edits: edits(pattern, path) })).sort((a, b) => a.edits - b.edits)
  return ranked[0]?.path
}

/** Edits that turn a path into one that the pattern matches; what a star stands for is free. */
function edits(pattern: string, path: string): number {
  let row = Array.from({ length: path.length + 1 }, (_, i) => i)
  for (const char of pattern.replace(/\*+\/?/g, '*')) {
    const next = [char === '*' ? row[0]! : row[0]! + 1]
    for (let j = 1; j <= path.length; j++) {
      const replaced = row[j - 1]! + (char === path[j - 1] ? 0 : 1)
      next.push(char === '*' ? Math.min(row[j]!, next[j - 1]!) : Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[path.length]!
}
