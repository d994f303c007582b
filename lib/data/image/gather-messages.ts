// What a pool of threads and its threads tell each other.
import type { EpochKey } from '../dataset.js'
import type { PackedOptions } from './halves.js'

/** What a thread is made with. */
export interface GatherSetup {
  readonly folder: string
  readonly options: PackedOptions
}

/** Examples that are wanted. */
export interface GatherRequest {
  readonly id: number
  readonly half: 'train' | 'validation'
  readonly indices: Uint32Array
  readonly key: EpochKey | undefined
  /** Memory to put them in. */
  readonly x: ArrayBuffer
}

/** What came of it; `x` comes back in any case. */
export interface GatherReply {
  readonly id: number
  readonly x: ArrayBuffer
  readonly target: Int32Array
  readonly error?: string
}
