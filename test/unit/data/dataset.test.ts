// Data sets over arrays: what they give, and every way in which they can be asked for nonsense.
import { describe, expect, it } from 'vitest'
import { arrays, DataError, type FieldData } from '../../../lib/data/index.js'

const wrong = (value: unknown): FieldData => value as FieldData

describe('arrays', () => {
  it('gathers rows of every field', () => {
    const data = arrays({ x: { data: Float32Array.of(0, 1, 2, 3, 4, 5), shape: [2] }, target: Int32Array.of(7, 8, 9) })
    expect(data.length).toBe(3)
    expect(data.fields).toEqual({ x: { dtype: 'f32', shape: [2] }, target: { dtype: 'i32', shape: [] } })
    const out = { x: new Float32Array(4), target: new Int32Array(2) }
    void data.gather([2, 0], out)
    expect(out).toEqual({ x: Float32Array.of(4, 5, 0, 1), target: Int32Array.of(9, 7) })
  })

  it.each<[string, Record<string, FieldData>, RegExp]>([
    ['no field', {}, /expected at least one field/],
    [
      'a Float64Array',
      { x: wrong(new Float64Array(4)) },
      /arrays\[x\]: expected a Uint8Array.*got Float64Array of length 4/,
    ],
    ['a plain array', { x: wrong([1, 2]) }, /arrays\[x\].*got Array of length 2/],
    ['nothing', { x: wrong(undefined) }, /arrays\[x\].*got nothing/],
    ['no shape', { x: wrong({ data: new Uint8Array(4) }) }, /expected a shape of positive integers, got nothing/],
    ['a zero extent', { x: { data: new Uint8Array(4), shape: [2, 0] } }, /positive integers, got \[2,0\]/],
    ['a broken row', { x: { data: new Uint8Array(5), shape: [2] } }, /multiple of 2 elements \(shape \[2\]\), got 5/],
    ['an empty array', { x: new Uint8Array(0) }, /expected a positive multiple of 1 elements.*got 0/],
    [
      'fields that disagree',
      { x: new Uint8Array(3), target: new Int32Array(2) },
      /arrays\[target\]: expected 3 examples, as in 'x', got 2/,
    ],
  ])('refuses %s', (_, fields, message) => {
    expect(() => arrays(fields)).toThrow(message)
    expect(() => arrays(fields)).toThrow(DataError)
  })

  it.each([[-1], [3], [0.5], [Number.NaN]])('refuses index %d', (index) => {
    const data = arrays({ x: new Uint8Array(3) })
    expect(() => data.gather([index], { x: new Uint8Array(1) })).toThrow(/expected indices in \[0, 3\), got/)
  })

  it('refuses an output that is too short or of another kind', () => {
    const data = arrays({ x: { data: new Uint8Array(6), shape: [2] } })
    expect(() => data.gather([0, 1], { x: new Uint8Array(3) })).toThrow(/gather\[x\]: expected Uint8Array of length 4/)
    expect(() => data.gather([0], { x: new Float32Array(2) })).toThrow(/got Float32Array of length 2/)
  })

  it('gives errors with a stable code', () => {
    expect(new DataError('x').code).toBe('ERR_DATA')
  })
})
