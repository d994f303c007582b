// The fewest edits that turn one sequence of symbols into another (Levenshtein 1966). Of several ways with the fewest, that with the most symbols
// left as they are, so that the numbers of each kind of edit are one answer too.

/** What was wrong, by kind: the reference's symbols are deleted or substituted, those that it lacks inserted. */
export interface Edits {
  readonly substitutions: number
  readonly deletions: number
  readonly insertions: number
}

/** A place of two sequences that are laid side by side. */
export interface EditedPlace {
  readonly kind: 'same' | 'substitution' | 'deletion' | 'insertion'
  /** None where the reference has a symbol that was left out. */
  readonly hypothesis: string | undefined
  /** None where the hypothesis has a symbol too many. */
  readonly reference: string | undefined
}

/** What an edit costs; a substitution that and 1 more, so that of as many edits those with fewer substitutions are less. */
const EDIT = 2 ** 26

/** Counts edits. Time grows with the product of the lengths, memory with the hypothesis. */
export function countEdits(hypothesis: readonly string[], reference: readonly string[]): Edits {
  const [own, wanted] = numbered(hypothesis, reference)
  let row = firstRow(own.length)
  let next = new Float64Array(row.length)
  for (let i = 0; i < wanted.length; i++) {
    fillRow(row, next, own, wanted[i]!)
    ;[row, next] = [next, row]
  }
  const cost = row[own.length]!
  const edits = Math.floor(cost / EDIT)
  const substitutions = cost - edits * EDIT
  // What is deleted less what is inserted is the difference of the lengths.
  const deletions = (edits - substitutions + wanted.length - own.length) / 2
  return { substitutions, deletions, insertions: edits - substitutions - deletions }
}

/**
 * Two sequences side by side: the alignment with the fewest edits, and of those with the most symbols left as they are.
 * Time and memory grow with the product of the lengths.
 * @example
 * editAlignment(['one', 'two'], ['one', 'oh', 'two'])[1] // { kind: 'deletion', hypothesis: undefined, reference: 'oh' }
 */
export function editAlignment(hypothesis: readonly string[], reference: readonly string[]): readonly EditedPlace[] {
  const [own, wanted] = numbered(hypothesis, reference)
  const rows = [firstRow(own.length)]
  for (const [i, symbol] of wanted.entries()) {
    rows.push(new Float64Array(own.length + 1))
    fillRow(rows[i]!, rows[i + 1]!, own, symbol)
  }
  const places: EditedPlace[] = []
  let [i, j] = [wanted.length, own.length]
  while (i > 0 || j > 0) {
    const cost = rows[i]![j]!
    const isSame = i > 0 && j > 0 && own[j - 1] === wanted[i - 1]
    if (i > 0 && j > 0 && cost === rows[i - 1]![j - 1]! + (isSame ? 0 : EDIT + 1)) {
      const kind = isSame ? 'same' : 'substitution'
      places.push({ kind, hypothesis: hypothesis[--j], reference: reference[--i] })
    } else if (i > 0 && cost === rows[i - 1]![j]! + EDIT) {
      places.push({ kind: 'deletion', hypothesis: undefined, reference: reference[--i] })
    } else {
      places.push({ kind: 'insertion', hypothesis: hypothesis[--j], reference: undefined })
    }
  }
  return places.reverse()
}

/** Costs of so many insertions. */
function firstRow(length: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: length + 1 }, (_, j) => j * EDIT)
}

/** Costs of all beginnings of `own` against a reference that has one symbol more than that of `row`. */
function fillRow(row: Float64Array, next: Float64Array, own: Int32Array, symbol: number): void {
  let left = row[0]! + EDIT
  next[0] = left
  for (let j = 0; j < own.length; j++) {
    const across = row[j]! + (own[j] === symbol ? 0 : EDIT + 1)
    const least = Math.min(row[j + 1]!, left) + EDIT
    left = across < least ? across : least
    next[j + 1] = left
  }
}

/** Both sequences by numbers, as these compare faster. */
function numbered(one: readonly string[], other: readonly string[]): readonly [Int32Array, Int32Array] {
  const known = new Map<string, number>()
  const numberOf = (symbol: string): number => {
    const number = known.get(symbol) ?? known.size
    known.set(symbol, number)
    return number
  }
  return [Int32Array.from(one, numberOf), Int32Array.from(other, numberOf)]
}
