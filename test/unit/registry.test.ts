// The names in native/program/ops.def and in the TypeScript registry are the same list.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registry } from '../../lib/ops/registry.js'
import { formulaOf } from '../ops/formulas.js'

const definitions = readFileSync(new URL('../../native/program/ops.def', import.meta.url), 'utf8')

function native(macro: string): string[] {
  return [...definitions.matchAll(new RegExp(`^${macro}\\((\\w+)`, 'gm'))].map((match) => match[1] ?? '').sort()
}

function typed(kind: string): string[] {
  return [...registry.values()]
    .filter((op) => op.kind === kind)
    .map((op) => op.name)
    .sort()
}

describe('registry', () => {
  it('has the pointwise ops of ops.def', () => {
    expect(native('OSTRICH_POINTWISE').length).toBeGreaterThan(20)
    expect(typed('pointwise')).toEqual(native('OSTRICH_POINTWISE'))
  })

  it('has the kernels of ops.def', () => {
    expect(typed('kernel')).toEqual(native('OSTRICH_KERNEL'))
  })

  it('folds constants with the formulas that kernels are held to', () => {
    const operands = [-1.5, 0, 0.75, 2].flatMap((a) => [-1.5, 0, 0.75, 2].map((b) => [a, b, 3] as const))
    for (const op of registry.values()) {
      if (op.kind !== 'pointwise' || op.formula === undefined) continue
      const expected = formulaOf(op.name, 'f32')
      for (const given of operands) {
        const [got, wanted] = [op.formula(...given), expected(...given)]
        const close = Object.is(got, wanted) || Math.abs(got - wanted) < 1e-12
        expect(close, `${op.name}(${given.join()}): ${got} against ${wanted}`).toBe(true)
      }
    }
  })
})
