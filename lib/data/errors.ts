// The one error of this room: bytes, files or user arrays that are not what was expected.

/**
 * Data that cannot be used: a damaged file, an array of the wrong kind or length, a data set that is not there.
 * The message names the file or field, what was expected and what came.
 *
 * @example
 * try { await mnist() } catch (error) { if (error instanceof DataError) console.error(error.code, error.message) }
 */
export class DataError extends Error {
  /** Stable code to test for, whatever the message says. */
  readonly code = 'ERR_DATA'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DataError'
  }
}

/** The system's short reason for a failed call (`ENOENT`, `EACCES` ...), or its message. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : String(error)
}
