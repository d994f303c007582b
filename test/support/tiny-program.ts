// Program texts for tests of the addon, small enough to read.

interface Port {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

/** y = 2 x + w, and w becomes y: `n` elements. */
export function doubling(n: number, name = 'doubling'): string {
  const typed = (value: number): object => ({ value, dtype: 'f32', shape: [n] })
  const chain = [
    ['mul', 'f32', 0, { c: 2 }],
    ['add', 'f32', 2, 1],
  ]
  return JSON.stringify({
    format: 'ostrich-program',
    version: 1,
    name,
    feeds: [{ ...typed(0), name: 'x' }],
    states: [{ ...typed(1), name: 'w' }],
    constants: [],
    nodes: [{ op: 'pointwise', path: 'y', in: [0, 1], out: [typed(2)], attrs: { chain, outputs: [3] } }],
    assigns: [{ state: 1, value: 2 }],
    fetches: [{ name: 'y', value: 2 }],
  })
}

/** Mean-free cross-entropy of logits [n, classes]; labels outside the classes are refused at run time. */
export function labelLoss(n: number, classes: number): string {
  const feeds: Port[] = [
    { name: 'logits', dtype: 'f32', shape: [n, classes] },
    { name: 'labels', dtype: 'i32', shape: [n] },
  ]
  const out = [[n], [n, 2]].map((shape, i) => ({ value: 2 + i, dtype: 'f32', shape }))
  return JSON.stringify({
    format: 'ostrich-program',
    version: 1,
    name: 'loss',
    feeds: feeds.map((feed, value) => ({ value, ...feed })),
    states: [],
    constants: [],
    nodes: [{ op: 'crossEntropy', path: 'loss', in: [0, 1], out, attrs: { smoothing: 0 } }],
    assigns: [],
    fetches: [{ name: 'loss', value: 2 }],
  })
}

/** y = x x ... x of x [n, n]: `times` products, each a step. */
export function products(n: number, times: number, dtype: 'f32' | 'bf16' = 'f32'): string {
  const typed = (value: number): object => ({ value, dtype, shape: [n, n] })
  const attrs = { transposeA: false, transposeB: false, activation: 'none', dtype, sumA: false }
  const nodes = Array.from({ length: times }, (_, i) => ({
    op: 'matmul',
    path: `product${i}`,
    in: [i, 0],
    out: [typed(i + 1)],
    attrs,
  }))
  return JSON.stringify({
    format: 'ostrich-program',
    version: 1,
    name: 'products',
    feeds: [{ ...typed(0), name: 'x' }],
    states: [],
    constants: [],
    nodes,
    assigns: [],
    fetches: [{ name: 'y', value: times }],
  })
}
