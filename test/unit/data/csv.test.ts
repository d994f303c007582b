// Tables as data sets: columns into fields, names into labels, and what is no table.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCsv } from '../../../lib/data/index.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-csv-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function file(text: string): Promise<string> {
  const path = join(folder, 'table.csv')
  await writeFile(path, text)
  return path
}

const text = '\ufeffage,"height, m",kind,legs\n1,0.5,ant,6\r\n\n2, 1.25 ,"bee, wild",-7\n3,1e1,ant,2\n'

describe('readCsv', () => {
  it('makes fields of columns, and labels of names', async () => {
    const set = await readCsv(await file(text), {
      x: ['height, m', 'age'],
      age: 'age',
      legs: { whole: 'legs' },
      target: { classes: 'kind' },
    })
    expect(set.length).toBe(3)
    expect(set.fields).toEqual({
      x: { dtype: 'f32', shape: [2] },
      age: { dtype: 'f32', shape: [] },
      legs: { dtype: 'i32', shape: [] },
      target: { dtype: 'i32', shape: [] },
    })
    expect(set.classes).toEqual({ target: ['ant', 'bee, wild'] })
    const out = { x: new Float32Array(6), age: new Float32Array(3), legs: new Int32Array(3), target: new Int32Array(3) }
    void set.gather([2, 0, 1], out)
    expect(Object.values(out).map((values) => [...values])).toEqual([
      [10, 3, 0.5, 1, 1.25, 2],
      [3, 1, 2],
      [2, 6, -7],
      [0, 0, 1],
    ])
  })

  it('takes names of columns, and another delimiter', async () => {
    const set = await readCsv(await file('1;2\n3;4\n'), { x: 'b' }, { columns: ['a', 'b'], delimiter: ';' })
    const out = { x: new Float32Array(2) }
    void set.gather([0, 1], out)
    expect([...out.x]).toEqual([2, 4])
  })

  it.each([
    ['a missing value', 'a,b\n1,2\n3,\n', { x: 'b' }, 'table.csv:3[b]: expected a number, got ""'],
    ['a word', 'a,b\n1,2\n\n3,four\n', { x: ['a', 'b'] }, 'table.csv:4[b]: expected a number, got "four"'],
    ['a fraction', 'a\n1.5\n', { x: { whole: 'a' } }, 'table.csv:2[a]: expected a whole number of 32 bits, got "1.5"'],
    ['a slip', 'height\n1\n', { x: 'heigth' }, 'expected a column heigth, got height (did you mean height?)'],
    ['a short line', 'a,b\n1,2\n3\n', { x: 'a' }, 'expected a table, got: CSV_RECORD_INCONSISTENT'],
    ['an open quote', 'a,b\n1,"2\n', { x: 'a' }, 'expected a table, got: CSV_QUOTE_NOT_CLOSED'],
    ['a name twice', 'a,a\n1,2\n', { x: 'a' }, 'expected columns of different names, got a twice'],
    ['no values', 'a,b\n', { x: 'a' }, 'expected lines of values, got none'],
    ['no field', 'a\n1\n', { x: 3 }, 'readCsv[fields.x]: expected a column, a list of them, { whole } or { classes }'],
  ])('refuses %s', async (_, content, fields, message) => {
    await expect(readCsv(await file(content), fields as never)).rejects.toThrow(message)
  })

  it('refuses a file that is not there', async () => {
    await expect(readCsv(join(folder, 'none.csv'), { x: 'a' })).rejects.toThrow(
      'none.csv: expected a file that can be read, got ENOENT',
    )
  })
})
