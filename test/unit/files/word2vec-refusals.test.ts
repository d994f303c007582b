// A file of word vectors that is damaged is refused by name, whatever is wrong with it.
import { env } from 'node:process'
import { describe, expect, it } from 'vitest'
import { CheckpointError } from '../../../lib/files/index.js'
import { readWord2vec, type Word2vecReading } from '../../../lib/files/word2vec.js'
import { generator } from '../../support/random.js'
import { binary, encoder, rows, stream, text } from './word2vec.js'

describe('a damaged file of word vectors', () => {
  const latin1 = (bytes: string): Uint8Array => Buffer.from(bytes, 'latin1')
  it.each<[string, Uint8Array, string, Word2vecReading?]>([
    ['is empty', latin1(''), 'expected a first line of two numbers, of words (up to 16777216)', {}],
    ['is empty', latin1(''), 'got an empty file'],
    ['has no header', latin1('king 1 2 3\n'), 'got "king 1 2 3"'],
    ['has a header without end', latin1('3 3 '.repeat(30)), 'got "3 3 3 3'],
    ['has no words', latin1('0 3\n'), 'got "0 3"'],
    ['has no numbers', latin1('3 0\n'), 'got "3 0"'],
    ['claims too many words', latin1('16777217 3\n'), 'got "16777217 3"'],
    ['claims too many numbers', latin1('3 1048577\n'), 'got "3 1048577"'],
    [
      'claims more than it has, as binary',
      binary(rows, '', '3 4096\n'),
      'expected 16384 bytes of 4096 numbers at word 1',
    ],
    [
      'claims more words than it has',
      binary(rows, '', '4 3\n'),
      'expected a word at word 4 of 4 (read as binary, as its first word looks like), got the end of the file',
    ],
    [
      'was cut in a word',
      binary(rows).subarray(0, -14),
      'expected a word of at most 65536 bytes and a space at word 3 of 3',
    ],
    [
      'was cut in a number',
      binary(rows).subarray(0, -1),
      'expected 12 bytes of 3 numbers at word 3 of 3 (read as binary, as its first word looks like), got 11 to the end of the file',
    ],
    [
      'was cut in a line',
      text.subarray(0, -3),
      'expected 3 numbers behind "日本" at word 3 of 3 (read as text, as its first word looks like), got 2',
    ],
    [
      'has more numbers',
      latin1('1 3\na 1 2 3 4\n'),
      'expected 3 numbers behind "a" at word 1 of 1 (read as text, as its first word looks like), got more',
    ],
    ['has fewer numbers', latin1('1 3\na 1 2\n'), 'expected 3 numbers behind "a" at word 1 of 1'],
    [
      'has another number',
      latin1('2 2\na 1 2\nb 1 x2\n'),
      'expected numbers behind "b" at word 2 of 2 (read as text, as its first word looks like), got "x2"',
    ],
    [
      'has a number that is none',
      latin1('1 2\na 1 nan\n'),
      'expected numbers behind "a" at word 1 of 1, got "nan"',
      { format: 'text' },
    ],
    ['has a number that f32 does not hold', latin1('1 2\na 1 1e39\n'), 'got "1e39"'],
    ['has a NaN', binary([['a', 1, NaN]]), 'expected finite numbers for "a" at word 1 of 1'],
    ['has an infinite number', binary([['a', 1, -Infinity]]), 'got -Infinity'],
    [
      'has a word twice',
      latin1('2 1\na 1\na 2\n'),
      'expected words in UTF-8, each once, at word 2 of 2 (read as text, as its first word looks like), got "a" a second time',
    ],
    [
      'has an empty word',
      binary([
        ['a', 1],
        ['', 2],
      ]),
      'got no word',
      { format: 'binary' },
    ],
    [
      'has a word with white space',
      binary([['a\tb', 1]]),
      'got "a\\tb", which has white space or a NUL in it',
      { format: 'binary' },
    ],
    ['has a word that is not UTF-8', latin1('1 1\na\xff 1\n'), 'got other bytes'],
    [
      'has a word without end',
      Buffer.concat([latin1('1 1\n'), new Uint8Array(70_000).fill(97), latin1(' 1111')]),
      'expected a word of at most 65536 bytes and a space at word 1 of 1, got a longer one',
      { format: 'binary' },
    ],
    ['goes on', latin1('1 1\na 1\nb 2\n'), 'expected the end behind 1 words, as its first line says, got more: "b 2'],
    ['is of the other format', binary(rows), 'at word 1 of 3, got', { format: 'text' }],
    [
      'is of the other format, as binary',
      latin1('2 9\na 1 2 3 4 5 6 7 8 9\n'),
      'expected 36 bytes of 9 numbers at word 1 of 2, got 18',
      { format: 'binary' },
    ],
  ])('that %s is refused', async (_, bytes, message, options = {}) => {
    await expect(readWord2vec(stream(bytes), 'a.vec', options)).rejects.toThrow(CheckpointError)
    await expect(readWord2vec(stream(bytes), 'a.vec', options)).rejects.toThrow(message)
  })

  it('that claims more than its length is refused before there is a table', async () => {
    const claim = (header: string, body: Uint8Array) => {
      const bytes = Buffer.concat([latin1(header), body])
      return readWord2vec(stream(bytes), 'a.vec', { length: bytes.length })
    }
    await expect(claim('16777216 1048576\n', latin1('a 1 2 3\n'))).rejects.toThrow(
      'expected at least 35184405643263 bytes more for 16777216 words of 1048576 numbers, as its first line says, got 8',
    )
    await expect(claim('16777216 1048576\n', binary(rows).subarray(4))).rejects.toThrow(
      'expected at least 70368777732096 bytes more for 16777216 words of 1048576 numbers, as its first line says',
    )
    // The least that there can be is enough, one byte less is not.
    const least = await readWord2vec(stream(latin1('2 1\na 1\nb 2')), 'a.vec', { length: 11 })
    expect([...least.vectors]).toEqual([1, 2])
    await expect(claim('2 1\n', latin1('a 1\nb'))).rejects.toThrow(
      'expected at least 7 bytes more for 2 words of 1 numbers, as its first line says, got 5',
    )
    await expect(claim('2 1\n', binary([['a', 1]]).subarray(4))).rejects.toThrow(
      'expected at least 12 bytes more for 2 words of 1 numbers, as its first line says, got 6',
    )
  })

  it('is refused by name or read, whatever its bytes, and takes no more memory than it has bytes', async () => {
    const random = generator(3)
    const below = (bound: number): number => Math.floor(random() * bound)
    const sources = [text, binary(rows), binary(rows, '\n'), encoder.encode('2 2\na 1 2\nb 3 4\n')]
    const odd = encoder.encode('0123456789 \n\t.-e\0\xff')
    const outcomes = { read: 0, refused: 0, other: [] as unknown[], large: 0 }
    const runs = Number(env['OSTRICH_FUZZ'] ?? 20_000)
    for (let run = 0; run < runs; run++) {
      let bytes = sources[below(sources.length)]!.slice()
      for (let changes = 1 + below(4); changes > 0; changes--) {
        const at = below(bytes.length)
        const byte = random() < 0.7 ? odd[below(odd.length)]! : below(256)
        const kind = below(4)
        if (kind === 0) bytes[at] = byte
        else if (kind === 1) bytes = bytes.slice(0, at)
        else if (kind === 2) bytes = Uint8Array.from([...bytes.slice(0, at), byte, ...bytes.slice(at)])
        else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + below(5))])
        if (bytes.length === 0) break
      }
      try {
        const format = ([undefined, 'text', 'binary'] as const)[below(3)]
        const {
          vectors,
          words: read,
          dimension,
        } = await readWord2vec(stream(bytes, 1 + below(40)), 'a.vec', {
          ...(format !== undefined && { format }),
          ...(random() < 0.5 && { length: bytes.length }),
          ...(random() < 0.5 && { onBadWord: () => undefined }),
        })
        outcomes.read++
        if (vectors.length !== read.length * dimension || vectors.length > bytes.length) outcomes.large++
      } catch (error) {
        if (error instanceof CheckpointError && error.message.startsWith('a.vec: expected ')) outcomes.refused++
        else outcomes.other.push(error)
      }
    }
    expect(outcomes.other).toEqual([])
    expect(outcomes.large).toBe(0)
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(runs / 50)
  }, 600_000)
})
