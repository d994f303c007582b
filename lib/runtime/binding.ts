// The typed boundary: everything that crosses N-API, by hand. Only lib/runtime imports this file.
import type { DType, HostArray } from '../graph/index.js'

/** One compiled-in or loadable backend; `reason` says why it is not available. */
export interface NativeBackend {
  readonly name: string
  readonly available: boolean
  readonly reason?: string
}

export interface NativeDeviceOptions {
  readonly backend: string
  readonly index: number
  /** 0: as many as the machine has cores; never more than that. `info` says how many. */
  readonly threads: number
  readonly profile: boolean
  readonly deterministic: boolean
  /** Bytes, 0: all there is. */
  readonly memoryLimit: number
}

export interface NativeBufferSpec {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly name: string
}

/**
 * Counters of one program. `arenaBytes` is what it needs of the arena, `sharedArenaBytes` the arena itself, which all programs of a
 * device use in turn. `explain` is the plan as text; `profile` is JSON and empty unless the device profiles.
 */
export interface NativeStats {
  readonly runs: number
  readonly arenaBytes: number
  readonly sharedArenaBytes: number
  readonly stateBytes: number
  readonly steps: number
  readonly reorders: number
  /** Of feeds, by JavaScript's thread: all but what was lent. */
  readonly copiedBytes: number
  readonly explain: string
  readonly profile: string
}

export interface NativeDevice {
  compile(program: string, state: readonly NativeBuffer[]): Promise<NativeProgram>
  alloc(spec: NativeBufferSpec): NativeBuffer
  info(): Readonly<Record<string, string>>
  /** Waits for what is queued, then ends the device's thread. Later calls reject with ERR_DISPOSED. */
  dispose(): Promise<void>
}

export interface NativeBuffer {
  write(view: HostArray): Promise<void>
  read(view: HostArray): Promise<void>
  dispose(): void
}

export interface NativeProgram {
  /** Feeds are copied before it returns, but with `lent` those over a SharedArrayBuffer; fetches are filled when the promise resolves (null skips one). */
  run(feeds: readonly HostArray[], fetches: readonly (HostArray | null)[], lent?: boolean): Promise<void>
  stats(): NativeStats
  dispose(): void
}

/** Exports of the addon: three functions, and three classes of which only Device is constructed from JavaScript. */
export interface Binding {
  backends(): readonly NativeBackend[]
  ops(): readonly string[]
  versions(): Readonly<Record<string, string>>
  Device: new (options: NativeDeviceOptions) => NativeDevice
}
