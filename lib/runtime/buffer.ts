// Device memory of one variable.
import type { DType, HostArray, Shape } from '../graph/index.js'
import type { NativeBuffer } from './binding.js'
import { guarded, rethrow } from './errors.js'

export interface BufferSpec {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/**
 * Device memory of one variable, zero at first; made by `device.alloc`. Its physical layout is the device's affair:
 * `read` and `write` are row-major.
 */
export class Buffer {
  readonly spec: BufferSpec
  /** What `device.compile` binds. */
  readonly native: NativeBuffer

  constructor(spec: BufferSpec, native: NativeBuffer) {
    this.spec = spec
    this.native = native
  }

  /**
   * Fills the buffer from an array of its dtype and count, which is copied before the call returns.
   * @throws DeviceError `ERR_ARGUMENT` for another type or length, `ERR_DISPOSED` after dispose.
   */
  write(view: HostArray): Promise<void> {
    return this.native.write(view).catch(rethrow)
  }

  /**
   * Copies the buffer into an array of its dtype and count, after all runs that were started before.
   * @throws DeviceError `ERR_ARGUMENT` for another type or length, `ERR_DISPOSED` after dispose.
   */
  read(view: HostArray): Promise<void> {
    return this.native.read(view).catch(rethrow)
  }

  /** Gives the memory back once no program uses it. */
  dispose(): void {
    guarded(() => {
      this.native.dispose()
    })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
