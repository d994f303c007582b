// Signals that ask a run to stop: the first one lets it finish its step and save, the second ends the process at once. What the
// process then ends with says which it was, as a shell counts them: 128 and the signal's number.
import type { Output } from './command.js'

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Name = keyof typeof codes

/** Listens until it is disposed. */
export interface Stop {
  readonly signal: AbortSignal
  /** Exit code of a run that a signal stopped; 0 where none came. */
  readonly code: number
  dispose(): void
}

/** Ctrl-C, `kill`, and the end of the terminal. */
export function stopOnSignals(output: Output): Stop {
  const controller = new AbortController()
  let came: Name | undefined
  const stop = (name: Name): void => {
    if (came !== undefined) process.exit(codes[name])
    came = name
    controller.abort()
    output.note('\nStopping after this step and saving; press Ctrl-C again to stop at once.')
  }
  const listeners = (Object.keys(codes) as Name[]).map((name) => [name, stop.bind(undefined, name)] as const)
  for (const [name, listener] of listeners) process.on(name, listener)
  return {
    signal: controller.signal,
    get code() {
      return came === undefined ? 0 : codes[came]
    },
    dispose: () => {
      for (const [name, listener] of listeners) process.off(name, listener)
    },
  }
}
