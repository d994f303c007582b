// Alphabets: numbers of symbols, lines and labels, paths to labels, and what they refuse.
import { describe, expect, it } from 'vitest'
import { Alphabet, type AlphabetData, DataError } from '../../../lib/data/index.js'

describe('an alphabet', () => {
  it('has the characters of lines behind the blank, in order', () => {
    const alphabet = Alphabet.of(['ten to two', 'one'], 'character')
    expect(alphabet.symbols).toEqual(['<blank>', ' ', 'e', 'n', 'o', 't', 'w'])
    expect([alphabet.size, alphabet.blank]).toEqual([7, 0])
    expect([...alphabet.encode('two')]).toEqual([5, 6, 4])
    expect(alphabet.decode([5, 6, 4])).toBe('two')
    expect([alphabet.numberOf('t'), alphabet.numberOf('x'), alphabet.numberOf('<blank>')]).toEqual([
      5,
      undefined,
      undefined,
    ])
  })

  it('has words as symbols where these are its unit', () => {
    const alphabet = Alphabet.of(['sh ih  hh', 'eh sh'], 'word')
    expect(alphabet.symbols).toEqual(['<blank>', 'eh', 'hh', 'ih', 'sh'])
    expect(alphabet.decode(alphabet.encode('\thh eh\n sh '))).toBe('hh eh sh')
  })

  it('reads white space as one space, and a letter and its accent as one', () => {
    const alphabet = Alphabet.of([' caf\u00e9 au\tlait '], 'character')
    expect(alphabet.symbols.join('')).toBe('<blank> acfiltu\u00e9')
    expect(alphabet.decode(alphabet.encode('cafe\u0301  \n lait'))).toBe('caf\u00e9 lait')
    expect(alphabet.decode([1, 2, 1, 1, 2, 0, 1])).toBe('a a')
    expect(Alphabet.of(['\u{1f600}a'], 'character').encode('a\u{1f600}a')).toHaveLength(3)
  })

  it.each([
    [[], []],
    [[0, 0], []],
    [
      [0, 3, 3, 0, 3, 1],
      [3, 3, 1],
    ],
    [
      [2, 2, 2, 1, 1, 2],
      [2, 1, 2],
    ],
  ])('collapses the path %j to %j', (path, labels) => {
    expect([...Alphabet.of(['abc'], 'character').collapse(path)]).toEqual(labels)
  })

  it('survives JSON', () => {
    const before = Alphabet.of(['one two'], 'word')
    const after = new Alphabet(JSON.parse(JSON.stringify(before)) as AlphabetData)
    expect([after.unit, after.symbols]).toEqual([before.unit, before.symbols])
  })

  it('refuses a symbol that it lacks, with its place', () => {
    const alphabet = Alphabet.of(['ab c'], 'character')
    expect(() => alphabet.encode('ab xc', 'train/1.wav')).toThrow(
      'train/1.wav: expected characters of the alphabet (" abc"), got "x" at 3',
    )
    expect(() => Alphabet.of(['one two'], 'word').encode('one oh')).toThrow(
      'line: expected words of the alphabet ("one two"), got "oh" at 1',
    )
    expect(() => alphabet.decode([1, 5])).toThrow('decode: expected labels in [0, 5), got 5')
    expect(() => alphabet.decode([-1])).toThrow(DataError)
  })

  it.each([
    [null, 'alphabet: expected { unit, symbols }, got null'],
    [{ unit: 'letter', symbols: ['<blank>', 'a'] }, 'alphabet[unit]: expected word or character, got letter'],
    [{ unit: 'word', symbols: ['<blank>'] }, 'expected the blank and at least one symbol, got Array of length 1'],
    [{ unit: 'word', symbols: ['<blank>', 3] }, 'expected the blank and at least one symbol'],
    [{ unit: 'word', symbols: ['a', '<blank>'] }, 'expected <blank> as the first, got "a"'],
    [{ unit: 'word', symbols: ['<blank>', 'a', 'b', 'a'] }, 'expected each symbol once, got "a" twice'],
    [{ unit: 'word', symbols: ['<blank>', '<blank>'] }, 'expected each symbol once, got "<blank>" twice'],
    [{ unit: 'word', symbols: ['<blank>', 'a b'] }, 'expected words without white space, got "a b"'],
    [{ unit: 'word', symbols: ['<blank>', ''] }, 'expected words without white space, got ""'],
    [{ unit: 'character', symbols: ['<blank>', 'ab'] }, 'expected single characters, got "ab"'],
    [{ unit: 'character', symbols: ['<blank>', '\t'] }, 'expected single characters, got "\\t"'],
    [{ unit: 'character', symbols: ['<blank>', ' ', 'a'] }, undefined],
  ])('of %j: %s', (data, message) => {
    const make = (): Alphabet => new Alphabet(data as AlphabetData)
    if (message === undefined) expect(make().size).toBe(3)
    else expect(make).toThrow(message)
  })

  it.each([
    ['abc' as never, 'alphabet[lines]: expected lines of text, got "abc"'],
    [[1] as never, 'alphabet[lines]: expected lines of text, got 1'],
    [['', '  '], 'alphabet: expected lines with symbols, got none'],
  ])('is not made of %j', (lines, message) => {
    expect(() => Alphabet.of(lines, 'character')).toThrow(message)
  })
})
