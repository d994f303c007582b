// What every room may import: the base of errors, the refusal of options, the nearest word, the surroundings.
export { OstrichError } from './errors.js'
export * as is from './kinds.js'
export { nearest, suggestion } from './nearest.js'
export { nearestPath, pathPattern } from './path-pattern.js'
export { expectKind, expectKinds, expectOptions, type Schema } from './options.js'
export { anotherNode, environment } from './surroundings.js'
