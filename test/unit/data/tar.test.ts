// The tar reader: what npm makes, and archives that lie.
import { describe, expect, it } from 'vitest'
import { DataError, PhiloxStream } from '../../../lib/data/index.js'
import { readTar } from '../../../lib/data/tar.js'
import { tarEntry, tarOf } from './support.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const names = (archive: Uint8Array): string[] => [...readTar(archive, 'a.tgz')].map(({ name }) => name)

describe('readTar', () => {
  it('gives files with their data, and passes over folders and global headers', () => {
    const archive = tarOf(
      tarEntry('pax_global_header', bytes('20 comment=abcdefgh\n'), 'g'),
      tarEntry('package/', bytes(''), '5'),
      tarEntry('package/a', bytes('x'.repeat(513))),
      tarEntry('package/b', bytes('')),
      tarEntry('package/c', bytes('hello')),
    )
    const entries = [...readTar(archive, 'a.tgz')].map(({ name, data }) => [name, new TextDecoder().decode(data)])
    expect(entries).toEqual([
      ['package/a', 'x'.repeat(513)],
      ['package/b', ''],
      ['package/c', 'hello'],
    ])
  })

  it('joins the prefix of a long name', () => {
    const entry = Buffer.from(tarEntry('name', bytes('')))
    entry.write('folder/of/long/path', 345)
    entry.fill(0x20, 148, 156)
    const sum = entry.reduce((total, byte) => total + byte, 0)
    entry.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    expect(names(tarOf(entry))).toEqual(['folder/of/long/path/name'])
  })

  it.each([['../evil'], ['package/../../evil'], ['/etc/passwd'], ['C:/evil'], ['a\\..\\evil']])(
    'refuses the path %s',
    (name) => {
      expect(() => names(tarOf(tarEntry(name, bytes('x'))))).toThrow(/expected paths inside the archive's folder, got/)
    },
  )

  it.each([['1'], ['2'], ['3'], ['x'], ['L']])('refuses an entry of type %s', (type) => {
    expect(() => names(tarOf(tarEntry('a', bytes(''), type)))).toThrow(
      new RegExp(`got an entry of type '${type}' named 'a'`),
    )
  })

  it('refuses truncated archives and wrong checksums', () => {
    const entry = tarEntry('a', bytes('x'.repeat(600)))
    expect(() => names(entry.subarray(0, 300))).toThrow(/expected a tar header of 512 bytes at 0, got 300 bytes/)
    expect(() => names(entry.subarray(0, 1000))).toThrow(/expected 600 bytes of 'a', got 488/)
    const changed = Uint8Array.from(entry)
    changed[0]! ^= 1
    expect(() => names(changed)).toThrow(/with checksum \d+, got \d+/)
    const size = Uint8Array.from(entry)
    size[124] = 0xff
    expect(() => names(size)).toThrow(DataError)
  })

  it('survives 5,000 mutated archives with nothing but DataError', () => {
    const archive = tarOf(tarEntry('package/a', bytes('hello')), tarEntry('package/b', bytes('x'.repeat(600))))
    const random = new PhiloxStream(2, 0, 0)
    for (let round = 0; round < 5000; round++) {
      const changed = Uint8Array.from(archive)
      for (let change = 0; change < 2; change++) changed[random.below(archive.length)] = random.below(256)
      try {
        names(changed.subarray(0, archive.length - random.below(2) * random.below(2000)))
      } catch (error) {
        expect(error).toBeInstanceOf(DataError)
      }
    }
  })
})
