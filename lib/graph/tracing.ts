// Whether a trace is running: below traces, which say so, and variables, which are not to be made within one.

let running = 0

/** Whether a trace is running. */
export function isTracing(): boolean {
  return running > 0
}

/** Calls `build`; until it returns, a trace is running. */
export function whileTracing<T>(build: () => T): T {
  running++
  try {
    return build()
  } finally {
    running--
  }
}
