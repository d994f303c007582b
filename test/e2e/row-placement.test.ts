// Rows of a table are replaced in place where nobody needs the old ones any more, and nowhere else.
import { afterAll, describe, expect, it } from 'vitest'
import { backend, missing, placed, plusOne, pointwise, type Text, value } from '../support/placed-program.js'

describe.skipIf(missing !== undefined)(`rows of tables on ${backend}`, () => {
  const { run, dispose } = placed()
  afterAll(dispose)

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
