// The folder of a run that is about to begin: never that of another.
import { readdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from './command.js'

/** What a run leaves; any of it says that there was one. */
const left = ['config.json', 'log.jsonl', 'last.safetensors']

/**
 * Refuses a folder that holds another run than the one that goes on.
 * @param checkpoint that the run goes on from
 * @throws UsageError
 */
export async function expectFree(folder: string, recipe: string, checkpoint?: string): Promise<void> {
  if (checkpoint !== undefined && resolve(dirname(checkpoint)) === resolve(folder)) return
  const names: readonly string[] = await readdir(folder).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT') return []
    const got = code === 'ENOTDIR' ? `the file ${folder}` : `${folder} (${code})`
    throw new UsageError(`--folder expects a folder, got ${got}`)
  })
  const found = left.find((name) => names.includes(name))
  if (found === undefined) return
  const how = `ostrich train ${recipe} --resume ${folder}`
  throw new UsageError(
    `--folder expects a new folder, got ${folder}, which holds a run (${found}). Go on with it: ${how}`,
  )
}
