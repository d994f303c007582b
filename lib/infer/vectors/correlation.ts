// How far two lists of numbers go together.

/** Pearson's correlation, from -1 to 1; NaN where one of the lists has only one value. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  let [both, ownA, ownB] = [0, 0, 0]
  for (const [i, x] of a.entries()) {
    const [dx, dy] = [x - meanA, b[i]! - meanB]
    both += dx * dy
    ownA += dx * dx
    ownB += dy * dy
  }
  // Rounding may leave more than 1.
  return Math.max(-1, Math.min(1, both / Math.sqrt(ownA * ownB)))
}

/** Spearman's correlation: Pearson's of the ranks, equal numbers at the mean of theirs. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranksOf(a), ranksOf(b))
}

const meanOf = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length

function ranksOf(list: readonly number[]): number[] {
  const order = [...list.keys()].sort((i, j) => list[i]! - list[j]!)
  const ranks = new Array<number>(list.length)
  for (let from = 0; from < order.length;) {
    let to = from
    while (to < order.length && list[order[to]!] === list[order[from]!]) to++
    for (let k = from; k < to; k++) ranks[order[k]!] = (from + to + 1) / 2
    from = to
  }
  return ranks
}
