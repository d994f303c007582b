// "Did you mean ...?": the known word with the fewest edits to what was typed.

/** Levenshtein's distance: insertions, deletions and replacements that turn one word into the other. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/** `learningRate` for `rate` and `pad` for `padding` are as good as one slip. */
function edits(a: string, b: string): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return short.length >= 3 && long.includes(short) ? Math.min(1, distance(a, b)) : distance(a, b)
}

/** The nearest of the known words; undefined where none is near enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, edits: edits(word.toLowerCase(), candidate.toLowerCase()) }))
  const best = ranked.reduce<(typeof ranked)[number] | undefined>(
    (least, one) => (least === undefined || one.edits < least.edits ? one : least),
    undefined,
  )
  return best !== undefined && best.edits <= Math.max(2, word.length / 2) ? best.candidate : undefined
}

/** ` Did you mean X?`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const guess = nearest(word, known)
  return guess === undefined ? '' : ` Did you mean ${guess}?`
}
