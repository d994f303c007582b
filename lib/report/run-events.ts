// The text of a run's log, one event a line, and what of it becomes curves.
import type { CurveRecorder } from './curve-recorder.js'

/** An event of a run. Events of type `step` with `step` and `loss`, and of type `epoch` with `step` and `validation` (a record of numbers), become curves. */
export type LogEvent = Readonly<Record<string, unknown>> & { readonly type: string }

/** An event as a line of JSON. */
export function formatEvent(event: LogEvent): string {
  return `${JSON.stringify(event, nameNonFinite)}\n`
}

/** A value as indented JSON. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, nameNonFinite, 2)}\n`
}

/** JSON has no NaN or infinity, and a diverged loss is worth reading: they become strings. */
function nameNonFinite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** The events of a log's text; lines that hold none are left out. */
export function parseEvents(text: string): LogEvent[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? [])
}

function parseLine(line: string): LogEvent | undefined {
  try {
    const event = JSON.parse(line) as unknown
    return typeof event === 'object' && event !== null && 'type' in event ? (event as LogEvent) : undefined
  } catch {
    return undefined
  }
}

/** Adds what an event says to a run's curves. */
export function recordEvent(curves: CurveRecorder, event: LogEvent): void {
  const { type, step, loss, validation } = event as Record<'type' | 'step' | 'loss' | 'validation', unknown>
  if (typeof step !== 'number') return
  if (type === 'step' && typeof loss === 'number') curves.addLoss(step, loss)
  if (type === 'resume') curves.cutAfter(step)
  if (type === 'epoch' && typeof validation === 'object' && validation !== null) {
    for (const [name, value] of Object.entries(validation)) {
      if (typeof value === 'number') curves.addMetric(name, step, value)
    }
  }
}
