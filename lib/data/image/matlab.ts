// The ImageNet devkit's meta.mat: a struct array `synsets` whose elements have a number ILSVRC2012_ID and a text WNID. Everything else
// is passed over by its length.
import { inflateSync } from 'node:zlib'
import { DataError } from '../errors.js'
import { ARRAYS, elements, HEADER, matrixOf, numbers, TYPES, type MatElement } from '../mat5.js'

const MOST_BYTES = 2 ** 26

/**
 * ILSVRC2012_ID -> WNID of the struct array `synsets`.
 * @throws DataError where the file is damaged, or has no such array
 */
export function readSynsets(bytes: Uint8Array, path: string): ReadonlyMap<number, string> {
  try {
    for (const { type, data } of elements(bytes.subarray(HEADER))) {
      const [element] =
        type === TYPES.compressed ? elements(inflateSync(data, { maxOutputLength: MOST_BYTES })) : [{ type, data }]
      const found = element?.type === TYPES.matrix ? synsetsOf(element.data) : undefined
      if (found !== undefined) return found
    }
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new DataError(`${path}: expected a whole MAT-file, got ${got}`, { cause: error })
  }
  throw new DataError(`${path}: expected an array synsets with WNID and ILSVRC2012_ID, got none`)
}

/** The two fields of the struct array, where this is it: length of a name, names, then the fields of each element in turn. */
function synsetsOf(data: Uint8Array): ReadonlyMap<number, string> | undefined {
  const { kind, name, rest } = matrixOf(data)
  const [width, names, ...cells] = rest
  if (kind !== ARRAYS.struct || name !== 'synsets' || width === undefined || names === undefined) return undefined
  const size = numbers(width)[0] ?? 0
  const fields = (new TextDecoder().decode(names.data).match(new RegExp(`[^]{${Math.max(1, size)}}`, 'g')) ?? []).map(
    (field) => field.replace(/\0[^]*$/, ''),
  )
  const [wnid, id] = [fields.indexOf('WNID'), fields.indexOf('ILSVRC2012_ID')]
  if (wnid < 0 || id < 0) return undefined
  const found = new Map<number, string>()
  for (let at = 0; at + fields.length <= cells.length; at += fields.length) {
    const [number] = valuesOf(cells[at + id]!)
    const text = String.fromCharCode(...valuesOf(cells[at + wnid]!, ARRAYS.text))
    if (number !== undefined) found.set(number, text)
  }
  return found
}

/** The numbers of an array of numbers or letters. */
function valuesOf({ data }: MatElement, wanted?: number): number[] {
  const { kind, rest } = matrixOf(data)
  const [values] = rest
  return values === undefined || (wanted !== undefined && kind !== wanted) ? [] : numbers(values)
}
