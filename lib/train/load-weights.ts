// Weights from any safetensors file into a session, by path: what was trained before, here or elsewhere, to go on from. Unlike
// `resume` it takes no counters and no optimiser state, and a part of the weights will do.
import { expectOptions, is, nearest, nearestPath, OstrichError, pathPattern, type Schema } from '../base/index.js'
import { CheckpointError, type SafetensorsFile, WIDENED, widened } from '../files/index.js'
import { formatShape, sameShape, trace } from '../graph/index.js'
import { seed, step } from '../ops/index.js'
import { checkContent, openCheckpoint } from './checkpoint.js'
import { traced } from './objective.js'
import type { Resolved } from './options.js'
import { otherPreparation, preparations } from './preparation.js'
import type { SessionParts } from './session-parts.js'
import type { StateEntry } from './state.js'

/** Options of `session.load`. */
export interface LoadWeightsOptions {
  /** Paths that are filled, in this session: a pattern or several, as groups of an optimiser have them, or a function. Default: all. */
  readonly only?: string | readonly string[] | ((path: string) => boolean)
  /** The path, in this session, of what the file calls so; undefined for what is left. Default: the same. */
  readonly rename?: (name: string) => string | undefined
  /** Refuses a file that lacks one of the paths. Otherwise those keep their values. Default: true. */
  readonly strict?: boolean
}

/** What became of a file's tensors and of a session's weights. */
export interface LoadedWeights {
  /** Paths that were filled. */
  readonly taken: readonly string[]
  /** Names of tensors in the file that nothing took. */
  readonly left: readonly string[]
  /** Paths that were to be filled, and that the file does not have: they keep their values. */
  readonly missing: readonly string[]
}

const schema: Schema<LoadWeightsOptions> = {
  only: is.either(is.text, is.listOf(is.text, 'patterns'), is.callable),
  rename: is.callable,
  strict: is.flag,
}

/** What of a session reading weights needs besides its parts. */
export interface LoadTurns {
  /** Calls `write` when no step runs. */
  put(write: () => Promise<void>): Promise<void>
  /** Takes what may be meant, and is not usual. */
  warn(message: string): void
}

/** @throws OstrichError `ERR_OPTION`; `ERR_STATE` where averages have begun, which would know nothing of the new weights */
export function checkLoadOptions(options: LoadWeightsOptions, { optimizer }: Resolved, step: number): void {
  expectOptions('load', options, schema)
  if (optimizer.averaging === undefined || step === 0) return
  throw new OstrichError('ERR_STATE', `load: expected averages that have not begun, got a session at step ${step}`)
}

/**
 * Reads weights into a session.
 * @throws CheckpointError for a file that is damaged, lacks a path, or has another shape for one; OstrichError `ERR_OPTION` for a
 * pattern that no path meets
 */
export async function loadWeights(
  path: string,
  options: LoadWeightsOptions,
  parts: SessionParts,
  turns: LoadTurns,
): Promise<LoadedWeights> {
  const { rename = (name: string) => name, strict = true } = options
  await using checkpoint = await openCheckpoint(path)
  const { file, info } = checkpoint
  const chosen = chosenOf(weightsOf(parts), options.only)
  const sources = new Map<string, string>()
  for (const name of file.tensors.keys()) {
    const place = rename(name)
    if (place === undefined || !chosen.some((entry) => entry.name === place)) continue
    const other = sources.get(place)
    if (other !== undefined) {
      throw new OstrichError('ERR_OPTION', `load[rename]: expected one tensor for ${place}, got ${other} and ${name}`)
    }
    sources.set(place, name)
  }
  const taken = chosen.filter(({ name }) => sources.has(name))
  const missing = chosen.filter(({ name }) => !sources.has(name)).map(({ name }) => name)
  if (strict && missing.length > 0) throw lacking(file, missing, [...file.tensors.keys()].map(rename))
  for (const entry of taken) expectType(file, sources.get(entry.name)!, entry)
  await checkContent(checkpoint)
  await turns.put(async () => {
    for (const { name, buffer } of taken) {
      const source = sources.get(name)!
      await buffer.write(widened(file.tensors.get(source)!.dtype, await file.read(source)))
    }
    await parts.programs.refreshShadows()
  })
  const used = new Set(sources.values())
  if (info?.preparation) {
    const { options: own, sources: data } = parts
    const [before, now] = [info.fields['x'], data.train.fields['x']]
    const alike = before !== undefined && now?.dtype === before.dtype && sameShape(before.shape, now.shape)
    const other = alike && otherPreparation(info.preparation, await preparations(own.inputs, { x: before }, info.batch))
    if (other) turns.warn(`${path}: ${other}: the weights were trained on other numbers`)
  }
  return {
    taken: taken.map(({ name }) => name),
    left: [...file.tensors.keys()].filter((name) => !used.has(name)),
    missing,
  }
}

/** What the network is made of: parameters, and statistics that evaluation reads, such as those of batch normalisation. */
function weightsOf({ store, options, sources }: SessionParts): StateEntry[] {
  const { states } = trace({ name: 'eval', mode: 'eval', names: store.names }, () => {
    const { loss } = traced(options, sources.train.fields, options.batch)
    return { loss }
  })
  const read = new Set(states.map(({ variable }) => variable))
  const own = [seed, step] as readonly unknown[]
  return store
    .entries()
    .filter(({ variable }) => variable.role === 'parameter' || (read.has(variable) && !own.includes(variable)))
}

function chosenOf(entries: readonly StateEntry[], only: LoadWeightsOptions['only']): readonly StateEntry[] {
  if (only === undefined) return entries
  const paths = entries.map(({ name }) => name)
  const patterns = typeof only === 'function' ? [] : typeof only === 'string' ? [only] : only
  const idle = patterns.find((pattern) => !paths.some((path) => pathPattern(pattern).test(path)))
  if (idle !== undefined) {
    const near = nearestPath(idle, paths)
    throw new OstrichError(
      'ERR_OPTION',
      `load[only]: expected a pattern of a path, got ${idle}; the nearest is ${near}`,
    )
  }
  const chooses =
    typeof only === 'function' ? only : (path: string) => patterns.some((pattern) => pathPattern(pattern).test(path))
  return entries.filter(({ name }) => chooses(name))
}

function lacking(file: SafetensorsFile, missing: readonly string[], names: readonly (string | undefined)[]): Error {
  const [first = ''] = missing
  const more = missing.length === 1 ? '' : ` and ${missing.length - 1} more`
  const near = nearest(
    first,
    names.filter((name) => name !== undefined),
  )
  const found = near === undefined ? 'none' : `none; the nearest is ${near}`
  return new CheckpointError(`${file.path}: expected tensors for ${first}${more} (or strict: false), got ${found}`)
}

/** Weights are f32; what a file holds in other floats is widened. */
function expectType(file: SafetensorsFile, source: string, { name, variable }: StateEntry): void {
  const { dtype, shape } = file.tensors.get(source)!
  if (variable.dtype === 'f32' && WIDENED.includes(dtype) && sameShape(shape, variable.shape)) return
  const renamed = source === name ? '' : ` (${source} in the file)`
  const got = `${dtype} ${formatShape(shape)}`
  throw new CheckpointError(
    `${file.path}[${name}]: expected a tensor of floats ${formatShape(variable.shape)}, got ${got}${renamed}`,
  )
}
