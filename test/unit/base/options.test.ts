// The one table by which options are checked: what it refuses, and in which words.
import { describe, expect, it } from 'vitest'
import { expectKind, expectOptions, is, nearest, type Schema } from '../../../lib/base/index.js'

interface Options {
  readonly rate: number
  readonly name?: string
  readonly mode?: 'train' | 'eval'
}

const schema: Schema<Options> = { rate: is.needed(is.number), name: is.text, mode: is.oneOf('train', 'eval') }
const check = (given: unknown) => {
  expectOptions('op', given as Options, schema)
}

describe('expectOptions', () => {
  it('lets good ones pass, and those that are left out', () => {
    check({ rate: 1 })
    check({ rate: 0, name: undefined, mode: 'eval' })
  })

  it.for([
    [{ rate: 1, learningRate: 2 }, 'op: expected the options rate, name, mode, got learningRate (did you mean rate?)'],
    [{ rate: 1, mod: 'eval' }, 'op: expected the options rate, name, mode, got mod (did you mean mode?)'],
    [{ rate: 1, xyzzyx: undefined }, 'op: expected the options rate, name, mode, got xyzzyx'],
    [{}, 'op[rate]: expected a number, got undefined'],
    [{ rate: '0.1' }, 'op[rate]: expected a number, got "0.1"'],
    [{ rate: 1, mode: 'test' }, 'op[mode]: expected train, eval, got "test"'],
    [{ rate: 1, name: null }, 'op[name]: expected a text, got null'],
    [0.1, 'op: expected the options rate, name, mode, got 0.1'],
    [undefined, 'op: expected the options rate, name, mode, got undefined'],
    [null, 'op: expected the options rate, name, mode, got null'],
    [[1], 'op: expected the options rate, name, mode, got [1]'],
  ] as const)('refuses %j', ([given, message]) => {
    expect(() => {
      check(given)
    }).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }))
  })

  it('takes no name of Object’s own for an option', () => {
    expect(() => {
      check({ rate: 1, toString: 1 })
    }).toThrow('got toString')
  })
})

describe('kinds', () => {
  it.for([
    [is.finite, [0, -1e300], [NaN, Infinity, '1', null]],
    [is.pair(1), [3, [3, 5]], [0, 1.5, [1], [1, 0], [1, 2, 3], '3', ['3', 1]]],
    [is.pair(0), [0, [0, 1]], [-1, [0, NaN]]],
    [is.padding, [0, [1, 2], [1, 2, 3, 4]], [-1, 0.5, [1, 2, 3], [1, -1], null]],
    [is.odd(5), [1, 5], [0, 2, 7, 1.5]],
    [is.positive, [1e-9, 3], [0, -1, NaN, Infinity, '1']],
    [is.notNegative, [0, 3], [-1e-9, NaN, Infinity, '1']],
    [is.share, [0, 0.5, 1], [-0.1, 1.1, NaN, '1']],
    [is.fraction, [0, 0.5], [-0.1, 1, NaN, '0']],
    [is.whole(1), [1, 2 ** 40], [0, 1.5, NaN, '1']],
    [is.whole(0, 9), [0, 9], [10]],
    [is.listOf(is.text, 'texts'), [[], ['a']], [['a', 1], 'a']],
    [is.either(is.number, is.text), [1, 'a'], [true]],
    [is.instance('a date', Date), [new Date()], [{}]],
    [is.withMethods('a stream', 'write'), [{ write: () => 0 }], [{ write: 0 }, null, 'write']],
    [is.signal, [new AbortController().signal], [{}, undefined]],
  ] as const)('%o', ([kind, good, bad]) => {
    for (const value of good) expect(kind.accepts(value)).toBe(true)
    for (const value of bad) expect(kind.accepts(value)).toBe(false)
  })

  it('are named with what came', () => {
    class Mine {
      readonly own = 1
    }
    const told = (value: unknown) => is.shown(value)
    expect([told('x'), told(1), told(null), told(undefined), told([1, 'a'])]).toEqual([
      '"x"',
      '1',
      'null',
      'undefined',
      '[1, "a"]',
    ])
    expect([told({}), told({ a: 1, b: 2 }), told(new Mine()), told(Promise.resolve())]).toEqual([
      ...['{}', 'an object with a, b', 'an object of Mine', 'a promise'],
    ])
    expect(told(Object.create(null))).toBe('{}')
    expect(told('x'.repeat(1000)).length).toBeLessThan(70)
    expect(() => {
      expectKind('op', 'x', is.flag, 'yes')
    }).toThrow('op[x]: expected true or false, got "yes"')
  })
})

it('a word within another is near', () => {
  expect(nearest('pad', ['kernel', 'padding'])).toBe('padding')
  expect(nearest('learningRate', ['momentum', 'rate'])).toBe('rate')
  expect(nearest('a', ['padding'])).toBeUndefined()
})
