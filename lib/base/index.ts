// What every room may import: the base of errors, the refusal of options, the nearest word, the surroundings, the version.
export { OstrichError } from './errors.js'
export * as is from './kinds.js'
export { nearest, suggestion } from './nearest.js'
export { nearestPath, pathPattern } from './path-pattern.js'
export { expectKind, expectKinds, expectOptions, type Schema } from './options.js'
export { anotherNode, environment } from './surroundings.js'
export { VERSION } from './version.js'
