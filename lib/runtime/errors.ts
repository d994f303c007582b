// Errors of devices and of what runs on them; native errors are re-typed here, their code and message kept.
import { OstrichError, ShapeError } from '../graph/index.js'

/**
 * A device, buffer or program could not do what was asked. `code` is one of `ERR_NO_ADDON`, `ERR_NO_DEVICE`,
 * `ERR_PROGRAM`, `ERR_ARGUMENT`, `ERR_DATA`, `ERR_OUT_OF_MEMORY`, `ERR_DISPOSED`, `ERR_INTERNAL`.
 *
 * @example
 * try { await openDevice({ device: 'cuda' }) } catch (error) { if (error instanceof DeviceError) console.error(error.code) }
 */
export class DeviceError extends OstrichError {}

/** Throws a native error as the class that its code belongs to; other errors as they are. */
export function rethrow(error: unknown): never {
  if (!(error instanceof Error) || error instanceof OstrichError) throw error
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string' || !code.startsWith('ERR_')) throw error
  throw code === 'ERR_SHAPE' ? new ShapeError(error.message) : new DeviceError(code, error.message)
}

/** Calls into the addon, with its errors re-typed. */
export function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    return rethrow(error)
  }
}
