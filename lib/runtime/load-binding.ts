// Finds and loads the addon, once and on first use: importing Ostrich never fails for want of it.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from '../base/index.js'
import type { Binding } from './binding.js'
import { DeviceError } from './errors.js'

interface Loaded {
  readonly binding: Binding
  readonly path: string
}

// lib/runtime, dist/runtime and dist/chunks lie equally deep in the package.
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
const remedy = 'in a checkout run `node native/setup.mjs`; as a dependency, Ostrich needs Linux x64 with glibc'

let loaded: Loaded | undefined

/** The file that OSTRICH_ADDON names, else the development build, else the prebuilt addon of this platform. */
function locate(require: NodeJS.Require): string {
  const chosen = environment('OSTRICH_ADDON')
  if (chosen !== undefined) return resolve(chosen)
  const bindings = require('bindings') as (options: object) => string
  const prebuilt = require('node-gyp-build') as { path(root: string): string }
  try {
    return bindings({ bindings: 'ostrich.node', module_root: packageRoot, path: true })
  } catch {
    return prebuilt.path(packageRoot)
  }
}

function load(): Loaded {
  const require = createRequire(import.meta.url)
  try {
    const path = locate(require)
    return { path, binding: require(path) as Binding }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new DeviceError('ERR_NO_ADDON', `addon: expected the native addon, got none: ${reason} (${remedy})`)
  }
}

/** @throws DeviceError `ERR_NO_ADDON` with the reason and the remedy. */
export function loadBinding(): Binding {
  return (loaded ??= load()).binding
}

/** File that the addon was loaded from. */
export function addonPath(): string {
  return (loaded ??= load()).path
}

/**
 * Checks that the addon runs exactly these ops.
 * @throws DeviceError `ERR_INTERNAL` naming the ops that only one side has.
 */
export function expectOps(names: Iterable<string>): void {
  const native = new Set(loadBinding().ops())
  const own = new Set(names)
  const missing = [...own].filter((name) => !native.has(name))
  const extra = [...native].filter((name) => !own.has(name))
  if (missing.length === 0 && extra.length === 0) return
  const difference = `without ${missing.join(', ') || 'none'}, with ${extra.join(', ') || 'none'} of its own`
  throw new DeviceError('ERR_INTERNAL', `addon: expected the ops of this library, got ${difference} (build it again)`)
}

/** Versions of the addon, the program text and the libraries below, by name. */
export function versions(): Readonly<Record<string, string>> {
  return loadBinding().versions()
}
