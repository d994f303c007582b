// The folder that every run leaves: config.json (what was asked), log.jsonl (what happened, one event a line) and
// curves.svg (the same, to look at). A run that is killed loses at most the lines of its last moment.
import { expectOptions, is, OstrichError } from '../base/index.js'
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../files/index.js'
import {
  CurveRecorder,
  formatEvent,
  formatJson,
  type LogEvent,
  parseEvents,
  recordEvent,
  renderCurves,
} from '../report/index.js'

/** An open run folder. */
export interface RunLog {
  readonly folder: string
  /** Appends an event as one line of log.jsonl; returns at once. A failing disk does not stop the run: see `flush`. */
  write(event: LogEvent): void
  /** Resolves when every event so far was handed to the system; rejects with the first failure since the last call. */
  flush(): Promise<void>
  /** Replaces curves.svg by the curves so far. */
  drawCurves(): Promise<void>
  /** Draws the curves, flushes and closes. */
  close(): Promise<void>
}

/** Options of `openRunLog`. */
export interface RunLogOptions {
  /** Written to config.json. */
  readonly config: unknown
  /** The title of the curves. */
  readonly title: string
  /** Go on with the log that is in the folder, from this step; without it the log starts empty. */
  readonly resumeAt?: number
}

/**
 * Makes a new folder for a run: `root/name`, or `root/name-2`, `root/name-3` ... where that is taken, so that two runs
 * that start at once never share one.
 *
 * @example
 * const folder = await makeRunFolder('runs', runName('mnist-lenet', new Date()))
 */
export async function makeRunFolder(root: string, name: string): Promise<string> {
  await makeFolder(root)
  for (let attempt = 1; ; attempt++) {
    const folder = join(root, attempt === 1 ? name : `${name}-${attempt}`)
    try {
      await mkdir(folder)
      return folder
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}

/**
 * Makes a folder, and those above it, where they are not there.
 * @throws OstrichError `ERR_OPTION` where a file is in the way; the system's error where it cannot be made
 */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw new OstrichError('ERR_OPTION', `folder: expected a folder for the run, got a file on the way to ${folder}`)
  })
}

/** A folder name that sorts by time: `2026-01-31T09-05-00-mnist` (UTC). */
export function runName(what: string, date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(':', '-')}-${what}`
}

/**
 * Opens a run's folder for writing, making it when it is not there.
 *
 * @throws OstrichError `ERR_OPTION` for options that it does not know, or where a file is in the way; the system's error when the folder or its files cannot be written
 * @example
 * const log = await openRunLog(folder, { config, title: 'mnist' })
 * log.write({ type: 'step', epoch: 0, step: 1, loss: 2.3 })
 * await log.close()
 */
export async function openRunLog(folder: string, options: RunLogOptions): Promise<RunLog> {
  expectOptions('openRunLog', options, { config: is.anything, title: is.needed(is.text), resumeAt: is.whole(0) })
  const { config, title, resumeAt } = options
  await makeFolder(folder)
  await writeText(join(folder, 'config.json'), formatJson(config))
  const path = join(folder, 'log.jsonl')
  const curves = new CurveRecorder()
  const kept = resumeAt === undefined ? 0 : await replay(path, curves)
  const file = await open(path, resumeAt === undefined ? 'w' : 'a')
  // A line that was cut by a kill is dropped, so that the log is valid JSONL throughout.
  await file.truncate(kept)
  const lines = new LineWriter(file)
  const log: RunLog = {
    folder,
    write(event) {
      recordEvent(curves, event)
      lines.push(formatEvent(event))
    },
    flush: () => lines.flush(),
    drawCurves: () => writeText(join(folder, 'curves.svg'), renderCurves({ title, ...curves.curves() })),
    async close() {
      try {
        await log.drawCurves()
        await lines.flush()
      } finally {
        await file.close()
      }
    },
  }
  if (resumeAt !== undefined) log.write({ type: 'resume', step: resumeAt })
  return log
}

/** Reads the events of a log back, dropping a last line that was cut; returns the bytes of whole lines. */
async function replay(path: string, curves: CurveRecorder): Promise<number> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  })
  const kept = bytes.lastIndexOf(0x0a) + 1
  for (const event of parseEvents(bytes.subarray(0, kept).toString('utf8'))) recordEvent(curves, event)
  return kept
}

async function writeText(path: string, text: string): Promise<void> {
  await replaceFile(path, (file) => file.write(new TextEncoder().encode(text)))
}

/** Appends lines in order with one write under way at a time; lines that come meanwhile go out together in the next. */
class LineWriter {
  readonly #file: FileHandle
  #waiting = ''
  #writing: Promise<void> | undefined
  #failure: Error | undefined

  constructor(file: FileHandle) {
    this.#file = file
  }

  push(line: string): void {
    this.#waiting += line
    this.#writing ??= this.#drain()
  }

  async flush(): Promise<void> {
    await this.#writing
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== '') {
      const text = this.#waiting
      this.#waiting = ''
      try {
        await this.#file.appendFile(text)
      } catch (error) {
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
      }
    }
    this.#writing = undefined
  }
}
