// epilogue, reluPool and sums: where a pattern is taken, and where it must not be.
import { describe, expect, it } from 'vitest'
import { cse } from '../../../lib/compile/passes/cse.js'
import { epilogue } from '../../../lib/compile/passes/epilogue.js'
import { reluPool } from '../../../lib/compile/passes/relu-pool.js'
import { sums } from '../../../lib/compile/passes/sums.js'
import { grad } from '../../../lib/autodiff/index.js'
import { dce } from '../../../lib/compile/passes/dce.js'
import { feed, type Graph, printGraph, type Tensor, trace, verify } from '../../../lib/graph/index.js'
import * as ops from '../../../lib/ops/index.js'
import { reluGrad } from '../../../lib/ops/pointwise.js'

type Images = Tensor<'f32', [number, number, number, number]>

/** One short line per node: op, and the attributes that these passes set. */
function outline(pass: (graph: Graph) => Graph, build: () => Record<string, Tensor>): string[] {
  const graph = dce(pass(trace({ name: 'g' }, build)))
  verify(graph)
  expect(printGraph(dce(pass(graph)))).toBe(printGraph(graph))
  const shown = ['activation', 'sumA', 'sumDy']
  return graph.nodes.map((node) => {
    const set = shown.filter((key) => ![undefined, false, 'none'].includes(node.attrs[key] as string))
    return [node.op.name, node.inputs.length, ...set.map((key) => `${key}=${JSON.stringify(node.attrs[key])}`)].join(
      ' ',
    )
  })
}

const matrix = (name: string, rows: number, columns: number) => feed(name, 'f32', [rows, columns])
const vector = (name: string, n: number) => feed(name, 'f32', [n])
const product = () => ops.matmul(matrix('a', 4, 5), matrix('b', 5, 6))
const images = (name: string, c: number): Images => feed(name, 'f32', [2, c, 6, 6])
const filters = (): Images => feed('w', 'f32', [4, 3, 3, 3])
const filtered = (): Images => ops.conv2d(images('x', 3), filters(), { padding: 1 })

describe('epilogue', () => {
  it.each<[string, () => Tensor, string[]]>([
    ['bias of a matmul', () => ops.add(product(), vector('c', 6)), ['matmul 3']],
    ['bias on the left', () => ops.add(vector('c', 6), product()), ['matmul 3']],
    ['bias and activation', () => ops.tanh(ops.add(product(), vector('c', 6))), ['matmul 3 activation="tanh"']],
    ['activation alone', () => ops.sigmoid(product()), ['matmul 2 activation="sigmoid"']],
    [
      'bias of the channels',
      () => ops.relu(ops.add(filtered(), ops.reshape(vector('c', 4), [1, 4, 1, 1]))),
      ['conv2d 3 activation="relu"'],
    ],
    ['a bias that came as [1, 6]', () => ops.add(product(), matrix('c', 1, 6)), ['reshape 1', 'matmul 3']],
  ])('takes in %s', (_name, build, nodes) => {
    expect(outline(epilogue, () => ({ y: build() }))).toEqual(nodes)
  })

  it.each<[string, () => Tensor, string[]]>([
    ['a column', () => ops.add(product(), matrix('c', 4, 1)), ['matmul 2', 'add 2']],
    ['a whole matrix', () => ops.add(product(), matrix('c', 4, 6)), ['matmul 2', 'add 2']],
    ['a row of a conv2d', () => ops.add(filtered(), vector('c', 6)), ['conv2d 2', 'add 2']],
    [
      'what comes after an activation',
      () => ops.add(ops.relu(product()), vector('c', 6)),
      ['matmul 2 activation="relu"', 'add 2'],
    ],
    ['a second bias', () => ops.add(ops.add(product(), vector('c', 6)), vector('d', 6)), ['matmul 3', 'add 2']],
    ['another pointwise op', () => ops.exp(product()), ['matmul 2', 'exp 1']],
  ])('leaves %s', (_name, build, nodes) => {
    expect(outline(epilogue, () => ({ y: build() }))).toEqual(nodes)
  })

  it('leaves a product that somebody else reads', () => {
    const biased = outline(epilogue, () => {
      const p = product()
      return { p, y: ops.add(p, vector('c', 6)) }
    })
    expect(biased).toEqual(['matmul 2', 'add 2'])
    expect(
      outline(epilogue, () => {
        const p = product()
        return { p, y: ops.relu(p) }
      }),
    ).toEqual(['matmul 2', 'relu 1'])
    expect(
      outline(epilogue, () => {
        const p = product()
        return { y: ops.relu(p), z: ops.exp(p) }
      }),
    ).toEqual(['matmul 2', 'relu 1', 'exp 1'])
  })
})

describe('reluPool', () => {
  const pooled = (fetchInner: boolean) => () => {
    const x = images('x', 1)
    const y = ops.relu(x)
    const loss = ops.sum(ops.exp(ops.maxPool2d(y, 3, { stride: 2 })))
    const [dy, dx] = grad(loss, [y, x]) as [Tensor, Tensor]
    return fetchInner ? { dy, dx } : { dx }
  }

  it('masks on the small side', () => {
    const lines = outline(reluPool, pooled(false))
    expect(lines.indexOf('reluGrad 2')).toBeLessThan(lines.indexOf('maxPool2dGrad 2'))
    expect(lines.filter((line) => /Grad/.test(line))).toEqual(['reluGrad 2', 'maxPool2dGrad 2'])
  })

  it('leaves the gradient that somebody else reads, and a mask by another tensor', () => {
    expect(outline(reluPool, pooled(true)).filter((line) => /Grad/.test(line))).toEqual([
      'maxPool2dGrad 2',
      'reluGrad 2',
    ])
    const other = outline(reluPool, () => {
      const x = images('x', 1)
      const d = grad(ops.sum(ops.exp(ops.maxPool2d(x, 2))), x)
      return { d: reluGrad(d, images('other', 1)) }
    })
    expect(other.at(-1)).toBe('reluGrad 2')
  })
})

describe('sums', () => {
  const dense = () => {
    const [x, w, b] = [matrix('x', 4, 5), matrix('w', 6, 5), vector('b', 6)]
    const y = ops.matmul(x, w, { transposeB: true, bias: b })
    const [dw, db] = grad(ops.sum(ops.exp(y)), [w, b]) as [Tensor, Tensor]
    return { dw, db }
  }

  it('takes the bias gradient along with the weight gradient', () => {
    expect(outline((graph) => sums(cse(graph)), dense).filter((line) => /sum|matmul/.test(line))).toEqual([
      'matmul 3',
      'matmul 2 sumA=true',
    ])
    const lines = outline(sums, () => {
      const [x, w, b] = [images('x', 3), filters(), vector('b', 4)]
      const y = ops.conv2d(x, w, { bias: b })
      const [dw, db] = grad(ops.sum(ops.exp(y)), [w, b]) as [Tensor, Tensor]
      return { dw, db }
    })
    expect(lines.filter((line) => /^sum|conv2dGrad/.test(line))).toEqual(['conv2dGradWeight 2 sumDy=true'])
  })

  it('does so wherever the sum stands, and through a cast from bf16', () => {
    const bf16 = () => ops.cast(matrix('dy', 4, 6), 'bf16')
    const through = (first: boolean) => () => {
      const x = ops.cast(matrix('x', 4, 5), 'bf16')
      const dy = bf16()
      const early = first ? ops.sum(ops.cast(dy, 'f32'), 0) : undefined
      const dw = ops.matmul(dy, x, { transposeA: true })
      return { db: ops.neg(early ?? ops.sum(ops.cast(dy, 'f32'), 0)), dw }
    }
    for (const first of [true, false]) {
      expect(outline(sums, through(first)).filter((line) => /sum/.test(line))).toEqual(['matmul 2 sumA=true'])
    }
  })

  it('leaves other axes, and a sum in another precision', () => {
    const by = (axis: number, narrow: boolean) => () => {
      const dy = matrix('dy', 4, 6)
      const a = narrow ? ops.cast(dy, 'bf16') : dy
      const x = ops.cast(matrix('x', 4, 5), narrow ? 'bf16' : 'f32')
      return { db: ops.sum(dy, axis), dw: ops.matmul(a, x, { transposeA: true }) }
    }
    expect(outline(sums, by(0, false)).join()).toContain('sumA=true')
    expect(outline(sums, by(1, false)).join()).not.toContain('sumA=true')
    expect(outline(sums, by(0, true)).join()).not.toContain('sumA=true')
  })

  it('leaves products that are no weight gradient', () => {
    const both = () => {
      const dy = matrix('dy', 4, 6)
      return { db: ops.sum(dy, 0), dw: ops.matmul(dy, matrix('x', 5, 4), { transposeA: true, transposeB: true }) }
    }
    expect(outline(sums, both).join()).not.toContain('sumA=true')
  })

  it('gives each product one sum', () => {
    const lines = outline(sums, () => {
      const dy = matrix('dy', 4, 6)
      const dw = ops.matmul(dy, matrix('x', 4, 5), { transposeA: true })
      return { dw, one: ops.sum(dy, 0), two: ops.sum(dy, 0) }
    })
    expect(lines).toEqual(['matmul 2 sumA=true', 'sum 1'])
  })
})
