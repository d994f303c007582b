// What a pool of threads and its threads tell each other.
import type { EpochKey } from './dataset.js'
import type { PackedOptions } from './image/halves.js'
import type { PhotoParts } from './numbers/photo-sets.js'
import type { StripParts } from './numbers/strip-sets.js'
import type { MovingParts } from './video/moving-digits.js'

/** What a thread is made with: whose sets it opens, and from what. Memory of digits is shared, not copied. */
export type GatherSetup =
  | { readonly kind: 'packed'; readonly folder: string; readonly options: PackedOptions }
  | { readonly kind: 'strips'; readonly parts: StripParts }
  | { readonly kind: 'photos'; readonly parts: PhotoParts }
  | { readonly kind: 'moving'; readonly parts: MovingParts }

/** Examples that are wanted. */
export interface GatherRequest {
  readonly id: number
  /** The name of the set, of those that the thread has opened. */
  readonly set: string
  readonly indices: Uint32Array
  readonly key: EpochKey | undefined
  /** Memory to put them in, of each field that is wanted: as many rows as there are indices. It is handed over, and back. */
  readonly room: Readonly<Record<string, ArrayBuffer>>
  /** Where their bytes are then to be put: then the rows of a batch, in memory that is shared. */
  readonly places?: Readonly<Record<string, Uint8Array<SharedArrayBuffer>>> | undefined
}

/** What came of it; `room` comes back in any case. */
export interface GatherReply {
  readonly id: number
  readonly room: Readonly<Record<string, ArrayBuffer>>
  readonly error?: string
}
