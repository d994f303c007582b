// Tables of word vectors on their way from the device and to it, a block of rows at a time: a second copy of one would not fit beside the first.
import { feed, read } from '../../graph/index.js'
import { assignRows, gather } from '../../ops/index.js'
import type { Table, WordProgram } from './program.js'

/** Numbers of a block. */
const BLOCK = 2 ** 20

/** Rows of a block. */
const rowsAtMost = ({ shape: [count, dimension] }: Table): number =>
  Math.min(count, Math.max(1, Math.floor(BLOCK / dimension)))

/** Rows of a table, from the first on, in an array that the next ones are written over. */
export async function* rowsOf({ programs }: WordProgram, table: Table): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const [count, dimension] = table.shape
  const most = rowsAtMost(table)
  const built = await programs.build({ name: 'rows', mode: 'eval', precision: 'f32' }, () => {
    return { rows: gather(read(table), feed('index', 'i32', [most])) }
  })
  try {
    const [index, rows] = [new Int32Array(most), new Float32Array(most * dimension)]
    for (let from = 0; from < count; from += most) {
      for (let i = 0; i < most; i++) index[i] = Math.min(from + i, count - 1)
      await built.program.run({ index }, { rows })
      yield rows.subarray(0, Math.min(most, count - from) * dimension)
    }
  } finally {
    programs.free(built)
  }
}

/** Fills a table from its first row on; `pieces` gives the numbers of all rows, so many at a time. */
export async function fillRows(
  { programs }: WordProgram,
  table: Table,
  pieces: (length: number) => AsyncIterable<Float32Array>,
): Promise<void> {
  const [count, dimension] = table.shape
  const most = rowsAtMost(table)
  const built = await programs.build({ name: 'rows', mode: 'eval', precision: 'f32' }, () => {
    assignRows(table, feed('index', 'i32', [most]), feed('rows', 'f32', [most, dimension]))
    return {}
  })
  try {
    const [index, rows] = [new Int32Array(most), new Float32Array(most * dimension)]
    let from = 0
    for await (const piece of pieces(rows.length)) {
      rows.set(piece)
      // Behind the last row it comes again, with the same numbers.
      for (let at = piece.length; at < rows.length; at += dimension)
        rows.copyWithin(at, piece.length - dimension, piece.length)
      for (let i = 0; i < most; i++) index[i] = Math.min(from + i, count - 1)
      await built.program.run({ index, rows }, {})
      from += most
    }
  } finally {
    programs.free(built)
  }
}

/** A whole table. */
export async function wholeTable(program: WordProgram, table: Table): Promise<Float32Array> {
  const all = new Float32Array(table.count)
  let at = 0
  for await (const rows of rowsOf(program, table)) {
    all.set(rows, at)
    at += rows.length
  }
  return all
}
