// The zip reader: archives as zip tools write them, and archives that lie.
import { describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { readZip } from '../../../lib/data/zip.js'
import { zipOf } from './support.js'

const contents = (archive: Uint8Array) =>
  [...readZip(archive, 'a.zip')].map(({ name, data }) => [name, new TextDecoder().decode(data())])

describe('readZip', () => {
  const files = [
    { name: 'brown/', text: '', stored: true },
    { name: 'brown/ca01', text: 'the/at '.repeat(500) },
    { name: 'brown/ca02', text: 'a/at', stored: true },
    { name: 'brown/empty', text: '' },
  ]

  it('gives the files, stored or deflated', () => {
    expect(contents(zipOf(files))).toEqual(files.slice(1).map(({ name, text }) => [name, text]))
  })

  it('refuses what is damaged, cut, encrypted or no archive', () => {
    const archive = zipOf(files)
    const bad = Buffer.from(archive)
    bad[archive.indexOf('a/at')]! ^= 1
    expect(() => contents(bad)).toThrow(/a.zip: brown\/ca02: expected 4 bytes with checksum/)
    const deflated = Buffer.from(archive)
    deflated.fill(0xff, 30 + 6 + 5 + 30 + 10 + 5, 30 + 6 + 5 + 30 + 10 + 25)
    expect(() => contents(deflated)).toThrow(DataError)
    expect(() => contents(archive.subarray(0, 200))).toThrow(/a.zip: expected a zip archive, got 200 bytes/)
    expect(() => contents(zipOf([{ name: 'x', text: 'secret', flags: 1 }]))).toThrow(/stored or deflated.*flags 1/)
    const directory = Buffer.from(archive)
    directory.writeUInt16LE(9, archive.length - 9 - 22 + 10)
    expect(() => contents(directory)).toThrow(/expected 9 entries in the directory, got 4/)
  })
})
