// Where values lie changes no number: states keep their old contents for whoever reads them, outputs share no memory
// while both are needed, and a run that is refused leaves every state as it was.
import { afterAll, describe, expect, it } from 'vitest'
import { hostArray } from '../../lib/graph/index.js'
import { backend, missing, placed, plusOne, pointwise, type Text, value } from '../support/placed-program.js'

describe.skipIf(missing !== undefined)(`memory of programs on ${backend}`, () => {
  const { run, dispose } = placed()
  afterAll(dispose)

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
    ['labels', 'crossEntropy', [4, 5], { smoothing: 0 }],
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
})
