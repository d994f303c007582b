// What the folder of a run tells of it: its configuration, and its log.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CurveRecorder, type Curves, parseEvents, recordEvent } from '../report/index.js'

/** A run, as its folder has it. */
export interface RunSummary {
  /** Its folder as it was given. */
  readonly folder: string
  readonly recipe: string | undefined
  /** Epochs that it has done, and how many it was to do. */
  readonly done: number
  readonly epochs: number | undefined
  readonly step: number
  /** `running` is what has neither ended nor stopped: a run that was killed too. */
  readonly state: 'ended' | 'stopped' | 'running'
  /** Of the last epoch: the training loss, and what was measured on the validation set. */
  readonly loss: number | undefined
  readonly validation: Readonly<Record<string, number>>
  /** When its log was last written. */
  readonly changed: Date
  readonly curves: Curves
}

/** The run of a folder; undefined where it holds none. */
export async function runSummary(folder: string): Promise<RunSummary | undefined> {
  const [config, log] = await Promise.all(['config.json', 'log.jsonl'].map((name) => textOf(join(folder, name))))
  if (config === undefined || log === undefined) return undefined
  const { recipe, epochs } = objectOf(config)
  const events = parseEvents(log)
  const curves = new CurveRecorder()
  for (const event of events) recordEvent(curves, event)
  const last = events.findLast(({ type }) => type === 'epoch')
  const end = events.findLast(({ type }) => ['end', 'stopped', 'resume'].includes(type))?.type
  return {
    folder,
    recipe: typeof recipe === 'string' ? recipe : undefined,
    done: numberOf(last?.['epoch']) ?? 0,
    epochs: numberOf(epochs),
    step: numberOf(events.findLast(({ step }) => typeof step === 'number')?.['step']) ?? 0,
    state: end === 'end' ? 'ended' : end === 'stopped' ? 'stopped' : 'running',
    loss: numberOf(last?.['loss']),
    validation: numbersOf(last?.['validation']),
    changed: (await stat(join(folder, 'log.jsonl'))).mtime,
    curves: curves.curves(),
  }
}

/** The runs of a folder of runs, the last changed first; none where there is no such folder. */
export async function runsOf(root: string): Promise<RunSummary[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const runs: RunSummary[] = []
  for (const name of names) {
    const run = await runSummary(join(root, name))
    if (run !== undefined) runs.push(run)
  }
  return runs.sort((a, b) => b.changed.getTime() - a.changed.getTime())
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
    throw error
  })
}

/** A configuration from its text; a damaged one tells nothing. */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function numbersOf(values: unknown): Record<string, number> {
  if (typeof values !== 'object' || values === null) return {}
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'number'))
}
