// What every room may import: the base of errors, the refusal of options, the nearest word.
export { OstrichError } from './errors.js'
export * as is from './kinds.js'
export { nearest, suggestion } from './nearest.js'
export { expectKind, expectKinds, expectOptions, type Schema } from './options.js'
