// The zip reader: archives as zip tools write them, and archives that lie.
import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DataError } from '../../../lib/data/index.js'
import { readZip } from '../../../lib/data/zip.js'

interface Given {
  readonly name: string
  readonly text: string
  readonly stored?: boolean
  readonly flags?: number
}

/** A zip archive with a comment behind it. */
function zipOf(files: readonly Given[]): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let at = 0
  for (const { name, text, stored = false, flags = 0 } of files) {
    const bytes = Buffer.from(text)
    const data = stored ? bytes : deflateRawSync(bytes)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(name.length, 26)
    // An extra field, as zip tools write for times.
    local.writeUInt16LE(5, 28)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(stored ? 0 : 8, 10)
    entry.writeUInt32LE(crc32(bytes), 16)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(bytes.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    locals.push(local, Buffer.from(name), Buffer.alloc(5), data)
    entries.push(entry, Buffer.from(name))
    at += 30 + name.length + 5 + data.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...entries, end, Buffer.from('a comment')])
}

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
