// The user's own line in a stack trace: the first frame outside this library.

const library = new URL('..', import.meta.url)
const roots = [library.href, decodeURIComponent(library.pathname)]

/** `file:line:column` of the innermost caller outside lib/ (or dist/); undefined when there is none. */
export function callSite(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const stack = new Error('site').stack ?? ''
  Error.stackTraceLimit = limit
  for (const line of stack.split('\n').slice(1)) {
    const place = /\(?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(line)?.[1]
    if (place === undefined || place.includes('node_modules') || roots.some((root) => place.startsWith(root))) continue
    return place.replace(/^file:\/\//, '')
  }
  return undefined
}
