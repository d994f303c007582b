// Decimal numbers in bytes: read as JavaScript reads them, written so that the same f32 is read.
import { describe, expect, it } from 'vitest'
import { decimalIn, decimalOf } from '../../../lib/files/decimals.js'
import { generator } from '../../support/random.js'

const encoder = new TextEncoder()

/** Read from the middle of other digits, which are not to be looked at. */
function readIn(text: string): number {
  const bytes = encoder.encode(`12${text}34`)
  return decimalIn(bytes, 2, bytes.length - 2)
}

describe('decimalIn', () => {
  it.each([
    ...['0', '-0', '+7', '12.', '.5', '-.25', '007', '1e3', '1E-3', '-1.5e+2', '0.1', '123456789.123456789'],
    ...[
      '9007199254740991',
      '9007199254740993',
      '0.30000001192092896',
      '1e22',
      '1e23',
      '1e-22',
      '1e-23',
      '5e-324',
      '1e400',
    ],
    ...['3.4028234663852886e38', '1.401298464324817e-45', '0.00000000000000000000000000000001', '1e-99999999999'],
  ])('reads %s as Number does', (text) => {
    expect(Object.is(readIn(text), Number(text))).toBe(true)
  })

  it.each([
    '',
    '-',
    '.',
    '-.',
    'e5',
    '1e',
    '1e+',
    '1e-',
    '0x10',
    'Infinity',
    'nan',
    '1..2',
    '--1',
    '1 ',
    ' 1',
    '1,5',
    '1f',
  ])('reads nothing in %j', (text) => {
    expect(readIn(text)).toBeNaN()
  })

  it('rounds as Number does, whatever the digits', () => {
    const random = generator(1)
    const digits = (most: number): string =>
      Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 10)).join('')
    const texts = Array.from({ length: 20_000 }, () => {
      const exponent = random() < 0.3 ? `e${Math.floor(random() * 80) - 40}` : ''
      return `${random() < 0.5 ? '-' : ''}${digits(12)}.${digits(12)}${exponent}`
    })
    expect(texts.filter((text) => readIn(text) !== Number(text))).toEqual([])
  })
})

describe('decimalOf', () => {
  it.each([
    [0, '0'],
    [0.5, '0.5'],
    [Math.fround(0.1), '0.1'],
    [Math.fround(1 / 3), '0.33333334'],
    [-1e-7, '-1e-7'],
    [16777216, '16777216'],
    [Math.fround(3.4028234663852886e38), '3.4028235e+38'],
    [1.401298464324817e-45, '1.4013e-45'],
  ])('writes %d as %s', (x, text) => {
    expect(decimalOf(Math.fround(x))).toBe(text)
  })

  it('writes what is read as the same f32, of any bits', () => {
    const random = generator(2)
    const all = new Float32Array(Uint32Array.from({ length: 20_000 }, () => random() * 2 ** 32).buffer).filter(
      Number.isFinite,
    )
    expect(all.length).toBeGreaterThan(19_000)
    expect(all.filter((x) => Math.fround(readIn(decimalOf(x))) !== x)).toHaveLength(0)
  })
})
