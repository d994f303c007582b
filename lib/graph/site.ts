// The user's own line in a stack trace: the first frame outside this library.

const library = new URL('..', import.meta.url)
const roots = [library.href, decodeURIComponent(library.pathname)]

/** Where it was made. What it holds of the stack is looked through when the line is asked for, as most never are: that takes several times as long. */
export class Site {
  readonly #trace: Error

  constructor() {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 40
    this.#trace = new Error('site')
    Error.stackTraceLimit = limit
  }

  /** `file:line:column` of the innermost caller outside lib/ (or dist/); undefined when there is none. */
  get line(): string | undefined {
    for (const line of (this.#trace.stack ?? '').split('\n').slice(1)) {
      const place = /\(?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(line)?.[1]
      if (place === undefined || place.includes('node_modules') || roots.some((root) => place.startsWith(root)))
        continue
      return place.replace(/^file:\/\//, '')
    }
    return undefined
  }
}

/** The line of the caller, for what is kept for long. */
export function callSite(): string | undefined {
  return new Site().line
}
