// The k largest of each row of very many elements. `topK` compares elements one by one; here only those of the k blocks are compared whose largest
// elements are the largest, found in one vector pass: no other block can have one of the k.
import { constant, type Shape, type Tensor } from '../../graph/index.js'
import { add, cast, concat, gather, max, neg, reshape, topK } from '../../ops/index.js'

/** Elements of a block. */
const BLOCK = 128
/** Rows of fewer elements are looked at one by one: it takes longer to find blocks. */
const FEW = 2 ** 14

/** How many elements of a row are looked at in blocks; the others, fewer than a block or all of them, stand behind. */
export function inBlocks(elements: number): number {
  return elements < FEW ? 0 : elements - (elements % BLOCK)
}

/** The k largest of each row, and what says where they are. */
export interface Largest {
  /** From the largest down, f32 [N, k]. */
  readonly values: Tensor<'f32'>
  /** Positions among the elements that were compared, i32 [N, k]. */
  readonly indices: Tensor<'i32'>
  /** Blocks that were compared, in order, i32 [N, k]; none where all elements were. */
  readonly blocks?: Tensor<'i32'>
}

/** The same on the host. */
export interface LargestArrays {
  readonly values: Float32Array
  readonly indices: Int32Array
  readonly blocks?: Int32Array
}

/**
 * The k largest of each row, of equal ones those of lower positions first.
 * @param blocked f32 [N, whole blocks], as many as `inBlocks` says; undefined where it says 0
 * @param rest f32 [N, ...], what stands behind; undefined where there is none
 */
export function largest(blocked: Tensor<'f32'> | undefined, rest: Tensor<'f32'> | undefined, k: number): Largest {
  const blocks = (blocked?.shape[1] ?? 0) / BLOCK
  const parts = [blocked, rest].filter((part) => part !== undefined)
  if (blocked === undefined || k > blocks) return { ...topK(together(parts), k) }
  const rows = blocked.shape[0] ?? 1
  const each = reshape(blocked, [rows * blocks, BLOCK])
  const chosen = topK(reshape(max(each, 1), [rows, blocks]), k).indices
  // In order, so that of equal elements the one of the lower position comes first.
  const ordered = cast(neg(topK(neg(cast(chosen, 'f32')), k).values), 'i32')
  const starts = constant(
    'i32',
    [rows, 1],
    Array.from({ length: rows }, (_, row) => row * blocks),
  )
  const places = reshape(add<'i32', Shape, Shape>(ordered, starts), [rows * k])
  const near: Tensor<'f32'> = reshape(gather(each, places), [rows, k * BLOCK])
  return { ...topK(together(rest === undefined ? [near] : [near, rest]), k), blocks: ordered }
}

function together(parts: readonly Tensor<'f32'>[]): Tensor<'f32'> {
  return parts.length === 1 ? parts[0]! : concat(parts, 1)
}

/** Positions in whole rows of `blocked` elements and those behind, of what `largest` gave for rows of k. */
export function positions({ indices, blocks }: Omit<LargestArrays, 'values'>, k: number, blocked: number): Int32Array {
  if (blocks === undefined) return indices
  return indices.map((index, i) => {
    if (index >= k * BLOCK) return blocked + index - k * BLOCK
    const first = i - (i % k)
    return blocks[first + Math.floor(index / BLOCK)]! * BLOCK + (index % BLOCK)
  })
}
