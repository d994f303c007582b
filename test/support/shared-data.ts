// Where real data lies that tests may read: $OSTRICH_DATA, else the folder shared/data beside the project.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'

const beside = fileURLToPath(new URL('../../../shared/data', import.meta.url))

/** The path of a file, or undefined where no such file is; a test without it is skipped. */
export function sharedData(...path: string[]): string | undefined {
  const folders = [env['OSTRICH_DATA'], beside].filter((folder) => folder !== undefined && folder !== '')
  return folders.map((folder) => join(folder!, ...path)).find((one) => existsSync(one))
}
