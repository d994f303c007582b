// Word vectors in files: word2vec's two formats, compressed by gzip or not, and safetensors. Safetensors hold `vectors` f32 [V, D], `words` (UTF-8,
// the end of a line between) and, where they are known, `counts` i64 [V].
import { fileContents } from '../../base/file-bytes.js'
import {
  CheckpointError,
  openSafetensors,
  type SafetensorsFile,
  type TensorSource,
  WIDENED,
  widened,
  writeSafetensors,
} from '../../files/index.js'
import { readWord2vec, writeWord2vec } from '../../files/word2vec.js'
import type { KeyedVectorsData, VectorTable } from './table.js'

/** How a file holds word vectors. */
export type VectorFormat = 'text' | 'binary' | 'safetensors'

/** Options of `KeyedVectors.load`. */
export interface LoadVectorsOptions {
  /** Default: `safetensors` where the name ends so, else that of word2vec's formats which the first word looks like. */
  readonly format?: VectorFormat
  /** Reads the first words only, which are the most frequent. Default: all. */
  readonly limit?: number
  /**
   * Leaves words out that are not UTF-8 (word2vec's C program cuts long ones), or are there twice, and says so to `onWarning`. Default: false,
   * such a file is refused.
   */
  readonly skipBadWords?: boolean
  /** Takes what a person should know. */
  readonly onWarning?: (message: string) => void
}

/** @throws CheckpointError for a file that is absent, damaged, or another */
export async function loadVectors(path: string, options: LoadVectorsOptions): Promise<KeyedVectorsData> {
  const { format, limit = Infinity, skipBadWords = false, onWarning } = options
  if (format === 'safetensors' || (format === undefined && path.endsWith('.safetensors'))) {
    return safetensorsRows(path, limit)
  }
  const bad: string[] = []
  try {
    const { length, pieces } = await fileContents(path)
    const rows = await readWord2vec(pieces, path, {
      ...(format !== undefined && { format }),
      ...(length !== undefined && { length }),
      ...(skipBadWords && { onBadWord: (what: string) => bad.push(what) }),
      limit,
    })
    if (bad.length > 0) onWarning?.(`${path}: ${bad.length} words are left out, the first is ${bad[0]!}`)
    return rows
  } catch (error) {
    if (error instanceof CheckpointError) throw error
    const got = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CheckpointError(`${path}: expected a file of word vectors, got ${got}`, { cause: error })
  }
}

async function safetensorsRows(path: string, limit: number): Promise<KeyedVectorsData> {
  const file = await openSafetensors(path)
  try {
    const [all, dimension] = shapeOf(file, 'vectors', WIDENED, 2) as [number, number]
    shapeOf(file, 'words', ['U8'], 1)
    const words = wordsOf((await file.read('words')) as Uint8Array, path)
    if (words.length !== all) {
      throw new CheckpointError(`${path}[words]: expected ${all}, one for each row of vectors, got ${words.length}`)
    }
    const size = Math.min(limit, all)
    const { dtype } = file.tensors.get('vectors')!
    const vectors = widened(dtype, await file.read('vectors')).subarray(0, size * dimension)
    const counts = file.tensors.has('counts') ? await countsOf(file, all) : undefined
    return { words: words.slice(0, size), vectors, ...(counts && { counts: counts.subarray(0, size) }) }
  } finally {
    await file.close()
  }
}

/** The extents of a tensor of one of these types. */
function shapeOf(file: SafetensorsFile, name: string, dtypes: readonly string[], axes: number): readonly number[] {
  const found = file.tensors.get(name)
  if (found !== undefined && dtypes.includes(found.dtype) && found.shape.length === axes) return found.shape
  const got = found === undefined ? 'none' : `${found.dtype} [${found.shape.join(', ')}]`
  const expected = `a tensor ${dtypes.join(' or ')} of ${axes} ${axes === 1 ? 'axis' : 'axes'}`
  throw new CheckpointError(`${file.path}[${name}]: expected ${expected}, got ${got}`)
}

function wordsOf(bytes: Uint8Array, path: string): string[] {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).split('\n')
  } catch (error) {
    throw new CheckpointError(`${path}[words]: expected words in UTF-8, got other bytes`, { cause: error })
  }
}

async function countsOf(file: SafetensorsFile, all: number): Promise<Float64Array> {
  const [length] = shapeOf(file, 'counts', ['I64'], 1)
  if (length !== all) throw new CheckpointError(`${file.path}[counts]: expected ${all}, got ${length!}`)
  return Float64Array.from((await file.read('counts')) as BigInt64Array, Number)
}

/** @throws CheckpointError where it cannot be written */
export async function saveVectors(
  path: string,
  table: VectorTable,
  counts: Float64Array | undefined,
  format: VectorFormat,
): Promise<void> {
  const { words, vectors, dimension } = table
  if (format !== 'safetensors') {
    await writeWord2vec(path, { words, vectors, dimension }, format)
    return
  }
  const bytes = new TextEncoder().encode(words.join('\n'))
  const tensors: Record<string, TensorSource> = {
    vectors: { dtype: 'F32', shape: [words.length, dimension], data: vectors as Float32Array<ArrayBuffer> },
    words: { dtype: 'U8', shape: [bytes.length], data: bytes },
  }
  if (counts !== undefined) {
    tensors['counts'] = { dtype: 'I64', shape: [counts.length], data: BigInt64Array.from(counts, BigInt) }
  }
  await writeSafetensors(path, tensors, { format: 'ostrich word vectors' }, { digests: true })
}
