// Whether a file is there: one that cannot be looked at is not absent.
import { access, constants } from 'node:fs/promises'
import { DataError, reasonOf } from './errors.js'

/**
 * True where the file or folder can be read, false where there is none.
 * @throws DataError where the system refuses to say, or to read
 */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK)
    return true
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === 'ENOENT' || reason === 'ENOTDIR') return false
    throw new DataError(`${path}: expected to read it, got ${reason}`, { cause: error })
  }
}
