// Where downloaded data lives.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../base/index.js'

/**
 * The folder of one data set: `$OSTRICH_DATA/name`, else `$XDG_CACHE_HOME/ostrich/name`, else `~/.cache/ostrich/name`.
 *
 * @example
 * dataFolder('mnist')  // ~/.cache/ostrich/mnist
 */
export function dataFolder(name: string): string {
  const own = environment('OSTRICH_DATA')
  if (own !== undefined) return join(own, name)
  return cacheFolder(name)
}

/** A folder of the user's cache: `$XDG_CACHE_HOME/ostrich/name`, else `~/.cache/ostrich/name`. */
export function cacheFolder(name: string): string {
  return join(environment('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'ostrich', name)
}
