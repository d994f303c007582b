// Where downloaded data lives.
// Reads an environment variable ($OSTRICH_DATA) outside the CLI, since data is found without it too.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'

/**
 * The folder of one data set: `$OSTRICH_DATA/name`, else `$XDG_CACHE_HOME/ostrich/name`, else `~/.cache/ostrich/name`.
 *
 * @example
 * dataFolder('mnist')  // ~/.cache/ostrich/mnist
 */
export function dataFolder(name: string): string {
  const { OSTRICH_DATA: own, XDG_CACHE_HOME: shared } = env
  if (own !== undefined && own !== '') return join(own, name)
  return join(shared !== undefined && shared !== '' ? shared : join(homedir(), '.cache'), 'ostrich', name)
}
