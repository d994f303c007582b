// Where values lie changes no number: states keep their old contents for whoever reads them, outputs share no memory
// while both are needed, and a run that is refused leaves every state as it was.
import { afterAll, describe, expect, it } from 'vitest'
import { type DType, type HostArray, hostArray } from '../../lib/graph/index.js'
import { loadBinding } from '../../lib/runtime/load-binding.js'
import { backends } from '../support/native.js'

const backend = process.env['OSTRICH_TEST_DEVICE'] ?? 'cpu'
const missing = backends().find(({ name }) => name === backend)?.reason

interface Text {
  readonly feeds?: readonly object[]
  readonly states?: readonly { readonly dtype: DType; readonly shape: readonly number[] }[]
  readonly constants?: readonly object[]
  readonly nodes: readonly object[]
  readonly assigns?: readonly object[]
  readonly fetches?: readonly object[]
}
const value = (id: number, shape: readonly number[], dtype: DType = 'f32') => ({
  value: id,
  dtype,
  shape,
  name: `v${id.toString()}`,
})
const pointwise = (inputs: readonly number[], out: readonly object[], chain: readonly unknown[]) => ({
  op: 'pointwise',
  path: 'here',
  in: inputs,
  out,
  attrs: { chain, outputs: out.map((_, k) => inputs.length + chain.length - out.length + k) },
})
const plusOne = [['add', 'f32', 0, { c: 1 }]]

describe.skipIf(missing !== undefined)(`memory of programs on ${backend}`, () => {
  const options = { backend, index: 0, threads: 2, profile: false, deterministic: false, memoryLimit: 0 }
  const device = missing === undefined ? new (loadBinding().Device)(options) : undefined
  afterAll(() => device?.dispose())

  /** Runs once; `states` are written first, and read into their arrays afterwards. */
  async function run(text: Text, states: readonly HostArray[], feeds: readonly HostArray[], fetches: HostArray[]) {
    const buffers = (text.states ?? []).map((spec, i) => device!.alloc({ ...spec, name: `s${i.toString()}` }))
    await Promise.all(buffers.map((buffer, i) => buffer.write(states[i]!)))
    const all = { feeds: [], states: [], constants: [], assigns: [], fetches: [], ...text }
    const json = JSON.stringify({ format: 'ostrich-program', version: 1, name: 'placement', ...all })
    const program = await device!.compile(json, buffers)
    const error = await program.run(feeds, fetches).then(
      () => undefined,
      (met: unknown) => met as Error,
    )
    await Promise.all(buffers.map((buffer, i) => buffer.read(states[i]!)))
    return { error, arenaBytes: program.stats().arenaBytes }
  }

  it.each([
    ['the state', [0, 1], 0],
    ['the state, assigned first', [1, 0], 0],
    ['a view of it', [0, 1], 4],
  ])('a state that becomes %s gets the value from before the run', async (_, order, source) => {
    for (const n of [4, 4096]) {
      const [a, b] = [new Float32Array(n).fill(10), new Float32Array(n).fill(-1)]
      const reshape = (from: number, to: number, shape: number[]) => ({
        op: 'reshape',
        path: 'view',
        in: [from],
        out: [value(to, shape)],
        attrs: { shape },
      })
      const assigns = [
        { state: 0, value: 2 },
        { state: 1, value: source },
      ]
      const nodes = [pointwise([0], [value(2, [n])], plusOne), reshape(0, 3, [1, n]), reshape(3, 4, [n])]
      await run(
        { states: [value(0, [n]), value(1, [n])], nodes, assigns: order.map((i) => assigns[i]!) },
        [a, b],
        [],
        [],
      )
      expect([a[0], a[n - 1], b[0], b[n - 1]]).toEqual([11, 11, 10, 10])
    }
  })

  it('two states change places', async () => {
    const [a, b] = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]
    const assigns = [
      { state: 0, value: 1 },
      { state: 1, value: 0 },
    ]
    const nodes = [pointwise([0], [value(2, [3])], plusOne)]
    await run({ states: [value(0, [3]), value(1, [3])], nodes, assigns }, [a, b], [], [])
    expect([...a, ...b]).toEqual([4, 5, 6, 1, 2, 3])
  })

  it('a pool reads a state where it lies, whatever layout a later op likes', async () => {
    const [n, c, z, h] = [4, 4, 16, 16]
    const image = Float32Array.from({ length: n * c * h * h }, (_, i) => Math.sin(i * 0.37))
    const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], countPadding: false }
    const conv = {
      stride: [1, 1],
      padding: [1, 1, 1, 1],
      dilation: [1, 1],
      groups: 1,
      activation: 'none',
      dtype: 'f32',
    }
    const text: Text = {
      feeds: [value(0, [n, z, h, h])],
      states: [value(1, [n, c, h, h])],
      constants: [{ ...value(2, [c, z, 3, 3]), data: [0.01] }],
      nodes: [
        { op: 'avgPool2d', path: 'pool', in: [1], out: [value(3, [n, c, h / 2, h / 2])], attrs: window },
        { op: 'conv2d', path: 'conv', in: [0, 2], out: [value(4, [n, c, h, h])], attrs: conv },
        pointwise([1, 4], [value(5, [n, c, h, h])], [['add', 'f32', 0, 1]]),
      ],
      fetches: [
        { name: 'pooled', value: 3 },
        { name: 'sum', value: 5 },
      ],
    }
    const [pooled, sum] = [new Float32Array((n * c * h * h) / 4), new Float32Array(n * c * h * h)]
    await run(text, [image], [new Float32Array(n * z * h * h)], [pooled, sum])
    const half = h / 2
    pooled.forEach((got, i) => {
      const [plane, row, column] = [Math.floor(i / half / half), Math.floor(i / half) % half, i % half]
      const corner = (plane * h + 2 * row) * h + 2 * column
      const want = (image[corner]! + image[corner + 1]! + image[corner + h]! + image[corner + h + 1]!) / 4
      expect(Math.abs(got - want)).toBeLessThan(1e-5)
    })
    expect(sum).toEqual(image)
  })

  it('an output that nobody reads takes no memory that another one has', async () => {
    const n = 4096
    const text: Text = {
      feeds: [value(0, [n]), value(1, [n])],
      nodes: [
        pointwise([0], [value(2, [n])], plusOne),
        pointwise([1], [value(3, [n])], plusOne),
        pointwise(
          [2, 3],
          [value(4, [n]), value(5, [n])],
          [
            ['add', 'f32', 0, 1],
            ['mul', 'f32', 0, 1],
          ],
        ),
      ],
      fetches: [{ name: 'product', value: 5 }],
    }
    const product = new Float32Array(n)
    await run(text, [], [new Float32Array(n).fill(2), new Float32Array(n).fill(4)], [product])
    expect(new Set(product)).toEqual(new Set([15]))
  })

  it.each([
    ['labels', 'crossEntropy', [4, 5], {}],
    ['indices', 'gather', [4], {}],
  ])('a run that is refused for its %s changes no state', async (_, op, out, attrs) => {
    const [step, moment] = [Int32Array.of(3), new Float32Array(6).fill(2)]
    const one = ['add', 'i32', 0, { c: 1 }]
    const shapes = op === 'gather' ? [[2, 3]] : [[2], [2, 2]]
    const outputs = out.map((id, i) => value(id, shapes[i]!))
    const text: Text = {
      feeds: [value(0, [2, 3]), value(1, [2], 'i32')],
      states: [value(2, [], 'i32'), value(3, [2, 3])],
      nodes: [
        { op, path: 'bad', in: [0, 1], out: outputs, attrs },
        { ...pointwise([2], [value(out.length + 4, [], 'i32')], [one]), path: 'step' },
        { ...pointwise([0, 3], [value(out.length + 5, [2, 3])], [['add', 'f32', 0, 1]]), path: 'moment' },
      ],
      assigns: [
        { state: 2, value: out.length + 4 },
        { state: 3, value: out.length + 5 },
      ],
      fetches: [{ name: 'y', value: 4 }],
    }
    // The same with the failing node last: what comes before it has run by then.
    const renumbered = JSON.parse(
      JSON.stringify({ ...text, nodes: [...text.nodes.slice(1), text.nodes[0]] }, (key, at: unknown) => {
        const moved = (id: number) => (id < 4 ? id : id < out.length + 4 ? id + 2 : id - out.length)
        if (key === 'value' && typeof at === 'number') return moved(at)
        return at
      }),
    ) as Text
    for (const program of [text, renumbered]) {
      const feeds = [new Float32Array(6).fill(1), Int32Array.of(0, 7)]
      const y = hostArray('f32', op === 'gather' ? 6 : 2)
      const { error } = await run(program, [step, moment], feeds, [y])
      expect(error?.message).toMatch(/got 7/)
      expect([step[0], ...moment]).toEqual([3, 2, 2, 2, 2, 2, 2])
    }
  })

  const [rows, width] = [4096, 8]
  const replaced = (table: number, index: number, from: number, to: number) => ({
    op: 'setRows',
    path: 'rows',
    in: [table, index, from],
    out: [value(to, [rows, width])],
    attrs: {},
  })
  const count = (table: Float32Array, number: number) => table.filter((x) => x === number).length

  it.each(['before', 'behind'])(
    'rows of a state are replaced in place, where they stand %s a reader of old ones',
    async (where) => {
      const table = new Float32Array(rows * width).fill(1)
      const [setting, reading] = where === 'before' ? [3, 4] : [4, 3]
      const nodes = [
        replaced(0, 1, 2, setting),
        { op: 'sum', path: 'old', in: [0], out: [value(reading, [])], attrs: { axes: [0, 1], keepDims: false } },
      ]
      const text: Text = {
        feeds: [value(0, [3], 'i32'), value(1, [3, width])],
        states: [value(2, [rows, width])],
        nodes: (where === 'before' ? nodes : nodes.toReversed()).map((node) => ({
          ...node,
          in: node.in.map((id) => (id === 0 ? 2 : id - 1)),
        })),
        assigns: [{ state: 2, value: setting }],
        fetches: [{ name: 'sum', value: reading }],
      }
      const [sum, given] = [
        new Float32Array(1),
        Float32Array.from({ length: 3 * width }, (_, i) => 2 + Math.floor(i / width)),
      ]
      const { arenaBytes } = await run(text, [table], [Int32Array.of(4095, 7, 4095), given], [sum])
      expect(sum[0]).toBe(rows * width)
      expect([count(table, 1), count(table, 3), count(table, 4)]).toEqual([(rows - 2) * width, width, width])
      expect(table[7 * width]).toBe(3)
      expect(arenaBytes).toBeLessThan((rows * width * 4) / 8)
    },
  )

  it('an index that is joined of checked ones is checked: what is assigned before it is computed in place', async () => {
    const [table, large] = [1, 2].map((x) => new Float32Array(rows * width).fill(x)) as [Float32Array, Float32Array]
    const taken = (index: number, to: number, length: number) => ({
      op: 'gather',
      path: 'old',
      in: [3, index],
      out: [value(to, [length, width])],
      attrs: {},
    })
    const text: Text = {
      feeds: [value(0, [2], 'i32'), value(1, [3], 'i32'), value(2, [5, width])],
      states: [value(3, [rows, width]), value(4, [rows, width])],
      nodes: [
        taken(0, 5, 2),
        taken(1, 6, 3),
        pointwise([4], [value(7, [rows, width])], plusOne),
        { op: 'concat', path: 'both', in: [0, 1], out: [value(8, [5], 'i32')], attrs: { axis: 0 } },
        replaced(3, 8, 2, 9),
      ],
      assigns: [
        { state: 3, value: 9 },
        { state: 4, value: 7 },
      ],
    }
    const feeds = [Int32Array.of(0, 1), Int32Array.of(1, 2, 4095), new Float32Array(5 * width).fill(6)]
    const { arenaBytes } = await run(text, [table, large], feeds, [])
    expect([count(table, 6), count(large, 3)]).toEqual([4 * width, rows * width])
    expect(arenaBytes).toBeLessThan((rows * width * 4) / 8)
  })

  // Row i becomes row `to` of the same table; every third row goes nowhere.
  it.each(['a state', 'a view of a state', 'a value'])('rows of %s change places within it', async (what) => {
    const to = Int32Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? i : (i * 7 + 5) % rows))
    const table = Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width))
    const expected = table.slice()
    for (const [i, row] of to.entries()) expected.fill(i, row * width, (row + 1) * width)
    const [y, old] = [new Float32Array(rows * width), table.slice()]
    const view = {
      op: 'reshape',
      path: 'view',
      in: [1],
      out: [value(2, [rows, width])],
      attrs: { shape: [rows, width] },
    }
    const one = { op: 'pointwise', path: 'here', in: [1], out: [value(2, [rows, width])] }
    const made = what === 'a view of a state' ? view : { ...one, attrs: { chain: plusOne, outputs: [1] } }
    const [from, last] = what === 'a state' ? [1, 2] : [2, 3]
    const text: Text = {
      feeds: [value(0, [rows], 'i32')],
      states: [value(1, [rows, width])],
      nodes: [...(what === 'a state' ? [] : [made]), replaced(what === 'a value' ? 2 : 1, 0, from, last)],
      ...(what === 'a value' ? { fetches: [{ name: 'y', value: last }] } : { assigns: [{ state: 1, value: last }] }),
    }
    const { error } = await run(text, [table], [to], what === 'a value' ? [y] : [])
    expect(error).toBeUndefined()
    const [got, added] = what === 'a value' ? [y, 1] : [table, 0]
    expect(got.findIndex((x, i) => x !== expected[i]! + added)).toBe(-1)
    if (what === 'a value') expect(table).toEqual(old)
  })

  it('rows of two states change places', async () => {
    const [a, b] = [10, 20].map((x) => new Float32Array(rows * width).fill(x)) as [Float32Array, Float32Array]
    const text: Text = {
      feeds: [value(0, [rows], 'i32')],
      states: [value(1, [rows, width]), value(2, [rows, width])],
      nodes: [replaced(1, 0, 2, 3), replaced(2, 0, 1, 4)],
      assigns: [
        { state: 1, value: 3 },
        { state: 2, value: 4 },
      ],
    }
    // Of each table, row 5 becomes the other's last, as its index is there again and again.
    await run(text, [a, b], [new Int32Array(rows).fill(5)], [])
    expect([count(a, 10), count(a, 20), a[5 * width]]).toEqual([(rows - 1) * width, width, 20])
    expect([count(b, 20), count(b, 10), b[5 * width]]).toEqual([(rows - 1) * width, width, 10])
  })

  it('rows that are written and read again in one run are there twice', async () => {
    const table = new Float32Array(rows * width).fill(1)
    const text: Text = {
      feeds: [value(0, [1], 'i32'), value(1, [1, width])],
      states: [value(2, [rows, width])],
      nodes: [replaced(2, 0, 1, 3), pointwise([2, 3], [value(4, [rows, width])], [['sub', 'f32', 1, 0]])],
      assigns: [{ state: 2, value: 3 }],
      fetches: [{ name: 'change', value: 4 }],
    }
    const change = new Float32Array(rows * width)
    await run(text, [table], [Int32Array.of(9), new Float32Array(width).fill(5)], [change])
    expect([count(table, 5), table[9 * width]]).toEqual([width, 5])
    expect([count(change, 4), count(change, 0)]).toEqual([width, (rows - 1) * width])
  })
})
