// Ops that move elements: exact in every precision.
import { apply, exact, input, type OpCase, opCase, type Refusal, type Sample } from '../support/op-case.js'
import { addAt, at, broadcastAt, fill, isInside } from '../support/ndarray.js'
import { integers, uniform } from '../support/random.js'

const draw = uniform()

function sample(name: string, build: Sample['build'], shape: number[], output: number[]): Sample {
  return { name, inputs: [input('float', shape, draw)], build, outputs: [`float[${output.join(', ')}]`] }
}

function integersOf(build: Sample['build'], shape: number[], output: number[]): Sample {
  return {
    name: 'integers',
    inputs: [input('i32', shape, integers(-99, 100))],
    build,
    outputs: [`i32[${output.join(', ')}]`],
    noGradient: 'integers have none',
  }
}

function bytesOf(build: Sample['build'], shape: number[], output: number[]): Sample {
  return {
    name: 'bytes',
    inputs: [input('u8', shape, integers(0, 256))],
    build,
    outputs: [`u8[${output.join(', ')}]`],
    noGradient: 'integers have none',
  }
}

const refuses = (shape: number[], build: Refusal['build'], message: RegExp): Refusal => ({
  inputs: [{ dtype: 'f32', shape }],
  build,
  message,
})

const reshapeCase = opCase<{ readonly shape: readonly number[] }>({
  name: 'reshape',
  reference: ([x], { shape }) => [{ shape, data: x!.data }],
  samples: [
    sample('a matrix to a cube', apply('reshape', { shape: [2, 3, 2] }), [3, 4], [2, 3, 2]),
    sample('to a scalar', apply('reshape', { shape: [] }), [1, 1], []),
    integersOf(apply('reshape', { shape: [6] }), [2, 3], [6]),
  ],
  refusals: [
    refuses([2, 3], apply('reshape', { shape: [5] }), /expected a shape of 6 elements, got \[5\]/),
    refuses([2, 3], apply('reshape', { shape: [-6, -1] }), /expected a shape of 2 integers >= 1/),
  ],
  tolerance: exact,
})

const transposeCase = opCase<{ readonly perm: readonly number[] }>({
  name: 'transpose',
  reference: ([x], { perm }, [output]) => [
    fill(output!.shape, (index) => at(x!, ...x!.shape.map((_, axis) => index[perm.indexOf(axis)]!))),
  ],
  samples: [
    sample('a matrix', apply('transpose', { perm: [1, 0] }), [3, 4], [4, 3]),
    sample('NCHW to NHWC', apply('transpose', { perm: [0, 2, 3, 1] }), [2, 3, 4, 5], [2, 4, 5, 3]),
    sample('a cycle', apply('transpose', { perm: [2, 0, 1] }), [2, 3, 4], [4, 2, 3]),
    bytesOf(apply('transpose', { perm: [1, 0] }), [3, 4], [4, 3]),
  ],
  refusals: [
    refuses([2, 3], apply('transpose', { perm: [0, 0] }), /expected a permutation of 2 axes, got \[0, 0\]/),
    refuses([2, 3], apply('transpose', { perm: [0] }), /expected a permutation/),
  ],
  tolerance: exact,
})

const broadcastToCase = opCase<{ readonly shape: readonly number[] }>({
  name: 'broadcastTo',
  reference: ([x], { shape }) => [fill(shape, (index) => broadcastAt(x!, index))],
  samples: [
    sample('new and stretched axes', apply('broadcastTo', { shape: [2, 3, 4] }), [3, 1], [2, 3, 4]),
    sample('a scalar', apply('broadcastTo', { shape: [2, 2] }), [], [2, 2]),
    integersOf(apply('broadcastTo', { shape: [3, 2] }), [2], [3, 2]),
  ],
  refusals: [
    refuses([2], apply('broadcastTo', { shape: [3] }), /expected a shape to which \[2\] broadcasts, got \[3\]/),
    refuses([2, 3], apply('broadcastTo', { shape: [3] }), /expected a shape to which/),
  ],
  tolerance: exact,
})

const sliceCase = opCase<{ readonly start: readonly number[]; readonly size: readonly number[] }>({
  name: 'slice',
  reference: ([x], { start, size }) => [fill(size, (index) => at(x!, ...index.map((i, axis) => i + start[axis]!)))],
  samples: [
    sample('the middle', apply('slice', { start: [1, 2], size: [2, 3] }), [4, 6], [2, 3]),
    sample('everything', apply('slice', { start: [0, 0], size: [2, 3] }), [2, 3], [2, 3]),
    bytesOf(apply('slice', { start: [0, 1, 0], size: [2, 1, 3] }), [2, 3, 3], [2, 1, 3]),
  ],
  refusals: [
    refuses(
      [4],
      apply('slice', { start: [2], size: [3] }),
      /expected a slice inside \[4\], got start \[2\], size \[3\]/,
    ),
    refuses([4], apply('slice', { start: [-1], size: [2] }), /expected start of 1 integers >= 0/),
    refuses([4], apply('slice', { start: [0], size: [0] }), /expected size of 1 integers >= 1/),
  ],
  tolerance: exact,
})

const concatCase = opCase<{ readonly axis: number }>({
  name: 'concat',
  reference: (inputs, { axis }, [output]) => {
    const joined = fill(output!.shape, () => 0)
    let offset = 0
    for (const x of inputs) {
      fill(x.shape, (index) => {
        addAt(joined, at(x, ...index), ...index.map((i, j) => (j === axis ? i + offset : i)))
        return 0
      })
      offset += x.shape[axis]!
    }
    return [joined]
  },
  samples: [
    {
      name: 'three along the last axis',
      inputs: [
        [2, 3],
        [2, 1],
        [2, 4],
      ].map((shape) => input('float', shape, draw)),
      build: apply('concat', { axis: 1 }),
      outputs: ['float[2, 8]'],
    },
    {
      name: 'two along the first',
      inputs: [
        [1, 2, 2],
        [3, 2, 2],
      ].map((shape) => input('float', shape, draw)),
      build: apply('concat', { axis: 0 }),
      outputs: ['float[4, 2, 2]'],
    },
  ],
  refusals: [
    refuses([2], apply('concat', { axis: 0 }), /expected two or more inputs, got 1/),
    {
      inputs: [
        { dtype: 'f32', shape: [2, 3] },
        { dtype: 'f32', shape: [3, 3] },
      ],
      build: apply('concat', { axis: 1 }),
      message: /expected extents of \[2, 3\] but on axis 1, got f32\[3, 3\]/,
    },
    {
      inputs: [
        { dtype: 'f32', shape: [2] },
        { dtype: 'i32', shape: [2] },
      ],
      build: apply('concat', { axis: 0 }),
      message: /expected inputs of f32, got i32\[2\]/,
    },
  ],
  tolerance: exact,
})

const padCase = opCase<{ readonly before: readonly number[]; readonly value: number }>({
  name: 'pad',
  reference: ([x], { before, value }, [output]) => [
    fill(output!.shape, (index) => {
      const source = index.map((i, axis) => i - before[axis]!)
      return isInside(x!, ...source) ? at(x!, ...source) : value
    }),
  ],
  samples: [
    sample('both axes', apply('pad', { before: [1, 0], after: [0, 2], value: 0 }), [2, 3], [3, 5]),
    sample('with a value', apply('pad', { before: [2], after: [1], value: -1.5 }), [3], [6]),
    sample(
      'the first of four axes',
      apply('pad', { before: [1, 0, 0, 0], after: [0, 0, 0, 0], value: 0 }),
      [2, 3, 2, 5],
      [3, 3, 2, 5],
    ),
    sample(
      'the second of four axes',
      apply('pad', { before: [0, 2, 0, 0], after: [0, 1, 0, 0], value: 0 }),
      [2, 3, 2, 4],
      [2, 6, 2, 4],
    ),
    sample(
      'the last of four axes',
      apply('pad', { before: [0, 0, 0, 1], after: [0, 0, 0, 1], value: 2 }),
      [2, 3, 2, 4],
      [2, 3, 2, 6],
    ),
    integersOf(apply('pad', { before: [1], after: [1], value: 7 }), [3], [5]),
  ],
  refusals: [
    refuses(
      [2],
      apply('pad', { before: [-1], after: [0], value: 0 }),
      /expected before of 1 integers >= 0, got \[-1\]/,
    ),
    refuses([2], apply('pad', { before: [0], after: [0, 0], value: 0 }), /expected after of 1 integers >= 0/),
  ],
  tolerance: exact,
})

export const reshapeCases: readonly OpCase[] = [
  reshapeCase,
  transposeCase,
  broadcastToCase,
  sliceCase,
  concatCase,
  padCase,
]
