// Pointwise ops: one row each. Inputs keep away from kinks and poles; the binary ops are broadcast both ways.
import * as ops from '../../lib/ops/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import { elementwise } from '../support/ndarray.js'
import { apply, exact, input, type OpCase, opCase, type Refusal } from '../support/op-case.js'
import { rounding, type Sample, type Tolerance } from '../support/op-case.js'
import { type Draw, exactly, integers, uniform } from '../support/random.js'
import { formulaOf, functions } from './formulas.js'

const noGolden = 'a formula of one line, checked against PyTorch through the ops that are made of it'
const flat = 'its derivative is zero wherever it exists'

function pointwise(
  name: string,
  samples: readonly Sample[],
  refusals: readonly Refusal[],
  tolerance: Tolerance,
): OpCase {
  return opCase({
    name,
    reference: (inputs, _attrs, [output]) => [elementwise(formulaOf(name, output!.dtype), ...inputs)],
    samples,
    refusals,
    tolerance,
    ...(functions[name]?.isGolden === true ? {} : { noGolden }),
  })
}

const floatOnly = (name: string): Refusal => ({
  inputs: [{ dtype: 'i32', shape: [2] }],
  build: apply(name),
  message: /expected x of f32 or bf16, got i32\[2\]/,
})

function unary(name: string, draw: Draw, tolerance = rounding): OpCase {
  const sample: Sample = {
    name: 'a matrix',
    inputs: [input('float', [3, 5], draw)],
    build: apply(name),
    outputs: ['float[3, 5]'],
  }
  const refusal: Refusal = {
    inputs: [{ dtype: 'u8', shape: [2] }],
    build: apply(name),
    message: /expected x of f32 or bf16/,
  }
  const numeric = ['neg', 'abs', 'sign'].includes(name)
  return pointwise(name, [sample], numeric ? [refusal] : [refusal, floatOnly(name)], tolerance)
}

const mixed: Refusal['inputs'] = [
  { dtype: 'f32', shape: [2] },
  { dtype: 'bf16', shape: [2] },
]
const apart: Refusal['inputs'] = [
  { dtype: 'f32', shape: [2, 3] },
  { dtype: 'f32', shape: [2, 4] },
]

function binary(
  name: string,
  a: Draw,
  b: Draw,
  options: { readonly noGradient?: string; readonly result?: string } = {},
): OpCase {
  const { result = 'float', ...rest } = options
  const sample = (label: string, shapeA: number[], shapeB: number[], shape: number[]): Sample => ({
    name: label,
    inputs: [input('float', shapeA, a), input('float', shapeB, b)],
    build: apply(name),
    outputs: [`${result}[${shape.join(', ')}]`],
    ...rest,
  })
  const samples = [
    sample('equal shapes', [3, 5], [3, 5], [3, 5]),
    sample('both broadcast', [2, 1, 3], [4, 1], [2, 4, 3]),
    sample('a scalar', [2, 3], [], [2, 3]),
  ]
  const refusals: Refusal[] = [
    {
      inputs: mixed,
      build: apply(name),
      message: /expected operands of one dtype \(cast one of them\), got f32 and bf16/,
    },
    { inputs: apart, build: apply(name), message: /expected extents that broadcast, got \[2, 3\] and \[2, 4\]/ },
  ]
  return pointwise(name, samples, refusals, rounding)
}

/** Adds i32 samples: exact, without gradient. */
function alsoIntegers(base: OpCase): OpCase {
  const operands = base.samples[0]!.inputs.map(() => input('i32', [4], integers(-9, 10)))
  const result = base.samples[0]!.outputs[0]!.startsWith('u8') ? 'u8' : 'i32'
  const sample: Sample = {
    name: 'integers',
    inputs: operands,
    build: apply(base.name),
    outputs: [`${result}[4]`],
    noGradient: 'integers have none',
  }
  return { ...base, samples: [...base.samples, sample] }
}

function without(base: OpCase, noGradient: string): OpCase {
  return { ...base, samples: base.samples.map((sample) => ({ ...sample, noGradient })) }
}

const positive = uniform(0.25, 4)
const smooth = uniform()
const offZero = uniform(-2, 2, [0], 0.25)
const offIntegers = uniform(-2, 2, [-2, -1, 0, 1, 2])
const notDifferentiable = 'a comparison has no derivative'
/** Some of the elements tie. */
const coarse = integers(-2, 3)

const cast = opCase<{ readonly dtype: string }>({
  name: 'cast',
  reference: ([x], { dtype }) => [elementwise(formulaOf('cast', dtype), x!)],
  samples: [
    {
      name: 'to the wider',
      inputs: [input('float', [3, 5], smooth)],
      build: apply('cast', { dtype: 'f32' }),
      outputs: ['f32[3, 5]'],
    },
    {
      name: 'to the narrower',
      inputs: [input('float', [6], smooth)],
      build: apply('cast', { dtype: 'bf16' }),
      outputs: ['bf16[6]'],
    },
    {
      name: 'towards zero',
      inputs: [input('float', [4], exactly(-1.75, -0.5, 0.5, 2.75))],
      build: apply('cast', { dtype: 'i32' }),
      outputs: ['i32[4]'],
      noGradient: 'integers have none',
    },
    {
      name: 'pixels',
      inputs: [input('u8', [4], integers(0, 256))],
      build: apply('cast', { dtype: 'f32' }),
      outputs: ['f32[4]'],
      noGradient: 'integers have none',
    },
  ],
  refusals: [
    { inputs: [{ dtype: 'f32', shape: [1] }], build: apply('cast', { dtype: 'f64' }), message: /expected a dtype of/ },
  ],
  tolerance: exact,
  noGolden,
})

const where = pointwise(
  'where',
  [
    {
      name: 'all three broadcast',
      inputs: [input('u8', [2, 1, 3], integers(0, 2)), input('float', [4, 1], smooth), input('float', [3], smooth)],
      build: apply('where'),
      outputs: ['float[2, 4, 3]'],
    },
  ],
  [
    {
      inputs: [{ dtype: 'f32', shape: [2] }, ...mixed],
      build: apply('where'),
      message: /expected a condition of u8, got f32\[2\]/,
    },
    {
      inputs: [{ dtype: 'u8', shape: [2] }, ...mixed],
      build: apply('where'),
      message: /expected operands of one dtype/,
    },
  ],
  exact,
)

/** Of conditions; the first reads 2 as true. */
function logical(name: string, value: (...x: number[]) => number): OpCase {
  const operands = value.length === 1 ? [[2, 3]] : [[2, 3], [3]]
  return {
    name,
    samples: [
      {
        name: 'conditions',
        inputs: operands.map((shape, i) => input('u8', shape, integers(0, 3 - i))),
        build: ops[name as 'logicalAnd'] as (...x: Tensor[]) => Tensor,
        outputs: ['u8[2, 3]'],
        value: (...x) => elementwise(value, ...x),
        noGradient: notDifferentiable,
      },
    ],
    refusals: [
      {
        inputs: operands.map((shape) => ({ dtype: 'f32', shape })),
        build: ops[name as 'logicalAnd'] as (...x: Tensor[]) => Tensor,
        message: new RegExp(`${name}: expected a condition of u8, got f32\\[2, 3\\]`),
      },
    ],
    tolerance: exact,
  }
}

/** Functions that are composed of the ops above. */
function composed(
  name: string,
  build: (x: Tensor) => Tensor,
  value: (x: number) => number,
  noGradient?: string,
): OpCase {
  const sample: Sample = {
    name: 'a matrix',
    inputs: [input('float', [3, 4], offZero)],
    build,
    outputs: [noGradient === undefined ? 'float[3, 4]' : 'u8[3, 4]'],
    value: (x) => elementwise(value, x),
    ...(noGradient === undefined ? {} : { noGradient }),
  }
  return { name, samples: [sample], refusals: [], tolerance: { ...rounding, bf16: 2 ** -7 } }
}

export const pointwiseCases: readonly OpCase[] = [
  alsoIntegers(unary('neg', smooth, exact)),
  alsoIntegers(unary('abs', offZero, exact)),
  without(alsoIntegers(unary('sign', offZero, exact)), flat),
  ...Object.entries(functions).map(([name, { draw, tolerance }]) => unary(name, draw, tolerance)),
  unary('relu', offZero, exact),
  without(unary('floor', offIntegers, exact), flat),
  cast,
  alsoIntegers(binary('add', smooth, smooth)),
  alsoIntegers(binary('sub', smooth, smooth)),
  alsoIntegers(binary('mul', smooth, smooth)),
  binary('div', smooth, offZero),
  binary('pow', positive, smooth),
  alsoIntegers(binary('maximum', integers(-2, 3), offIntegers)),
  alsoIntegers(binary('minimum', integers(-2, 3), offIntegers)),
  alsoIntegers(binary('equal', coarse, coarse, { noGradient: notDifferentiable, result: 'u8' })),
  alsoIntegers(binary('less', coarse, coarse, { noGradient: notDifferentiable, result: 'u8' })),
  alsoIntegers(binary('lessEqual', coarse, coarse, { noGradient: notDifferentiable, result: 'u8' })),
  binary('reluGrad', smooth, offZero),
  where,
  composed(
    'square',
    (x) => ops.square(x),
    (x) => x * x,
  ),
  composed(
    'reciprocal',
    (x) => ops.reciprocal(x),
    (x) => 1 / x,
  ),
  composed(
    'leakyRelu',
    (x) => ops.leakyRelu(x, 0.25),
    (x) => (x > 0 ? x : x / 4),
  ),
  composed(
    'elu',
    (x) => ops.elu(x, 0.5),
    (x) => (x > 0 ? x : 0.5 * Math.expm1(x)),
  ),
  composed(
    'greater',
    (x) => ops.greater(x, 0.5),
    (x) => Number(x > 0.5),
    notDifferentiable,
  ),
  composed(
    'greaterEqual',
    (x) => ops.greaterEqual(x, 0.5),
    (x) => Number(x >= 0.5),
    notDifferentiable,
  ),
  composed(
    'notEqual',
    (x) => ops.notEqual(x, x),
    () => 0,
    notDifferentiable,
  ),
  logical('logicalAnd', (a, b) => Number(a !== 0 && b !== 0)),
  logical('logicalOr', (a, b) => Number(a !== 0 || b !== 0)),
  logical('logicalNot', (x) => Number(x === 0)),
]
