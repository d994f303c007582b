// Derives the checks of every case: shape rule, gradient (first and second), value of composed functions, golden vectors,
// parity of each backend in each precision. Every op of the registry must have a case, and golden vectors or a reason.
import { describe, expect, test } from 'vitest'
import { feed, formatShape, trace } from '../../lib/graph/index.js'
import { registry } from '../../lib/ops/registry.js'
import { difference } from '../support/compare.js'
import { checkGolden, goldenOf } from '../support/golden.js'
import { backends } from '../support/native.js'
import type { Refusal, Sample } from '../support/op-case.js'
import { disagreement, precisionsOf } from '../support/parity.js'
import { differentiable, drawInputs, graphOf, gradientSample, numericSlopes, outputsOf } from '../support/samples.js'
import { dot } from '../support/ndarray.js'
import { cases } from './cases.js'

function checkShapes(sample: Sample): void {
  for (const precision of precisionsOf(sample)) {
    const types = graphOf(sample, precision).fetches.map(({ tensor }) => `${tensor.dtype}${formatShape(tensor.shape)}`)
    expect(types).toEqual(sample.outputs.map((type) => type.replace('float', precision)))
  }
}

function checkRefusal({ inputs, build, message, code = 'ERR_SHAPE' }: Refusal): void {
  const attempt = () =>
    trace({ name: 'refused' }, () => {
      build(...inputs.map(({ dtype, shape }, i) => feed(`in${i}`, dtype, shape)))
      return {}
    })
  expect(attempt).toThrow(message)
  expect(attempt).toThrow(expect.objectContaining({ code }))
}

/** The backward graph against central differences, both in float64, along random cotangents. */
function checkGradient(sample: Sample): void {
  const gradient = gradientSample(sample)
  const inputs = drawInputs(gradient)
  const analytic = outputsOf(graphOf(gradient, 'f32'), inputs)
  const wrt = differentiable(sample)
  const n = sample.inputs.length
  const slopes = numericSlopes(sample, inputs.slice(0, n), inputs.slice(n))
  const largest = Math.max(...slopes.map(({ value }) => Math.abs(value)))
  expect(largest, 'a gradient that is not zero').toBeGreaterThan(1e-3)
  for (const { input, direction, value } of slopes) {
    const got = dot(analytic[wrt.indexOf(input)]!, direction)
    // Truncation (h^2) and cancellation (2^-53 / h) of central differences at h = 1e-5, with a margin of a hundred.
    expect(Math.abs(got - value), `input ${input}: expected ${value}, got ${got}`).toBeLessThan(
      1e-7 * Math.max(1, largest),
    )
  }
}

function checkValue(sample: Sample): void {
  const inputs = drawInputs(sample)
  const [got] = outputsOf(graphOf(sample, 'f32'), inputs)
  expect(difference(got!, sample.value!(...inputs), { tolerance: 1e-12, relativeTo: 'tensor' })).toBeUndefined()
}

test('every op of the registry has one case, and golden vectors or a reason to have none', () => {
  const withReference = cases.filter(({ reference }) => reference !== undefined)
  expect(withReference.map(({ name }) => name).sort()).toEqual([...registry.keys()].sort())
  for (const { name, noGolden } of withReference) {
    expect(goldenOf(name).length > 0, `${name}: golden vectors, or noGolden`).toBe(noGolden === undefined)
  }
})

describe.each(cases)('$name', (opCase) => {
  for (const sample of opCase.samples) {
    test(`shape rule, ${sample.name}`, () => {
      checkShapes(sample)
    })
    if (sample.value !== undefined) {
      test(`value, ${sample.name}`, () => {
        checkValue(sample)
      })
    }
    if (sample.noGradient === undefined) {
      test(`gradient, ${sample.name}`, () => {
        checkGradient(sample)
      })
      if (sample.noSecondGradient === undefined) {
        test(`second gradient, ${sample.name}`, () => {
          checkGradient(gradientSample(sample))
        })
      }
    }
    for (const { name: backend, reason } of backends()) {
      for (const precision of precisionsOf(sample)) {
        test.skipIf(reason !== undefined)(`parity, ${backend} ${precision}, ${sample.name}`, async () => {
          expect(await disagreement(opCase, sample, backend, precision)).toBeUndefined()
        })
      }
    }
  }
  for (const refusal of opCase.refusals) {
    test(`refuses: ${refusal.message.source}`, () => {
      checkRefusal(refusal)
    })
  }
  for (const vector of goldenOf(opCase.name)) {
    test(`golden, ${vector.name}`, () => {
      checkGolden(opCase.name, vector)
    })
  }
})
