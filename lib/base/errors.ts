// The error that all others of what is built and run descend from.

/** Base of all Ostrich errors: `code` is stable and meant for programs, `message` for people. */
export class OstrichError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}
