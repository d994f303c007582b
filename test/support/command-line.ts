// The built command line, run as a process of its own in a folder of the test's.
import { execFile, type ExecFileException } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The command's script. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** What is left of a process: its exit code, null where a signal ended it, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const codeOf = (error: ExecFileException | null): number | null => {
  if (error === null) return 0
  return typeof error.code === 'number' ? error.code : null
}

/** Runs a program in a folder to its end, whatever that is; `input` is all that it can read. */
export function run(folder: string, file: string, args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd: folder, maxBuffer: 1 << 26 }, (error, out, err) => {
      resolve({ code: codeOf(error), out, err })
    })
    // A program that ends without having read leaves a broken pipe.
    child.stdin?.on('error', () => undefined).end(input)
  })
}

/** Runs `ostrich ARGS` in a folder to its end. */
export const ostrich = (folder: string, args: readonly string[], input?: string): Promise<Ended> =>
  run(folder, process.execPath, [main, ...args], input)
