// What maps between word vectors need of linear algebra, in f64: products, a symmetric system of equations, and singular vectors. Matrices are of
// hundreds of rows, so that simple methods do.

/** A matrix, row-major. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}

/** aT b, of matrices with as many rows. */
export function transposedProduct(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.columns * b.columns)
  for (let row = 0; row < a.rows; row++) {
    for (let i = 0; i < a.columns; i++) {
      const x = a.data[row * a.columns + i]!
      for (let j = 0; j < b.columns; j++) data[i * b.columns + j]! += x * b.data[row * b.columns + j]!
    }
  }
  return { rows: a.columns, columns: b.columns, data }
}

/** The matrix with rows and columns exchanged. */
export function transposed({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(data.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!
  return { rows: columns, columns: rows, data: turned }
}

/**
 * The solution x of a x = b for a symmetric, positive definite a, by Cholesky's decomposition; undefined where a is not, to rounding.
 */
export function solved(a: Matrix, b: Matrix): Matrix | undefined {
  const n = a.rows
  const lower = Float64Array.from(a.data)
  for (let j = 0; j < n; j++) {
    const own = a.data[j * n + j]!
    for (let k = 0; k < j; k++) lower[j * n + j]! -= lower[j * n + k]! ** 2
    const pivot = lower[j * n + j]!
    if (!(pivot > 1e-12 * own)) return undefined
    const root = Math.sqrt(pivot)
    lower[j * n + j] = root
    for (let i = j + 1; i < n; i++) {
      let sum = lower[i * n + j]!
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!
      lower[i * n + j] = sum / root
    }
  }
  const x = Float64Array.from(b.data)
  const width = b.columns
  for (let column = 0; column < width; column++) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) x[i * width + column]! -= lower[i * n + k]! * x[k * width + column]!
      x[i * width + column]! /= lower[i * n + i]!
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i * width + column]! -= lower[k * n + i]! * x[k * width + column]!
      x[i * width + column]! /= lower[i * n + i]!
    }
  }
  return { rows: n, columns: width, data: x }
}

/** Cosines that count as 0: what rounding leaves of hundreds of products. */
const RIGHT_ANGLE = 1e-13
/** Turns of all pairs of columns at most; each about squares what is left. */
const MOST_SWEEPS = 60

/**
 * The orthogonal matrix that is nearest to a square one: u vT of its singular vectors, found by turning its columns until each two are at right
 * angles (one-sided Jacobi; Hestenes 1958); undefined where it has fewer dimensions than columns, so that there are many.
 */
export function nearestOrthogonal(a: Matrix): Matrix | undefined {
  const n = a.columns
  // Columns as rows, so that what is turned lies together: of a v, and of v.
  const turned = transposed(a).data
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  for (let sweep = 0; sweep < MOST_SWEEPS && !isOrthogonal(turned, v, n); sweep++);
  const lengths = Array.from({ length: n }, (_, i) => Math.sqrt(dot(turned, i, i, n)))
  if (!(Math.min(...lengths) > 1e-12 * Math.max(...lengths))) return undefined
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) turned[i * n + k]! /= lengths[i]!
  const matrix = { rows: n, columns: n }
  // Row i of both belongs to singular value i: the sum of u_i v_iT.
  return transposedProduct({ ...matrix, data: turned }, { ...matrix, data: v })
}

/** Turns each two columns once. @returns whether all were at right angles before */
function isOrthogonal(columns: Float64Array, v: Float64Array, n: number): boolean {
  let wereAll = true
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const own = dot(columns, i, i, n)
      const other = dot(columns, j, j, n)
      const both = dot(columns, i, j, n)
      if (Math.abs(both) <= RIGHT_ANGLE * Math.sqrt(own * other)) continue
      wereAll = false
      const zeta = (other - own) / (2 * both)
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
      const cosine = 1 / Math.sqrt(1 + tangent * tangent)
      turn(columns, i, j, n, cosine, cosine * tangent)
      turn(v, i, j, n, cosine, cosine * tangent)
    }
  }
  return wereAll
}

function dot(rows: Float64Array, i: number, j: number, n: number): number {
  let sum = 0
  for (let k = 0; k < n; k++) sum += rows[i * n + k]! * rows[j * n + k]!
  return sum
}

function turn(rows: Float64Array, i: number, j: number, n: number, cosine: number, sine: number): void {
  for (let k = 0; k < n; k++) {
    const x = rows[i * n + k]!
    const y = rows[j * n + k]!
    rows[i * n + k] = cosine * x - sine * y
    rows[j * n + k] = sine * x + cosine * y
  }
}
