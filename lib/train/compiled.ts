// Any function over tensors on a session's weights: traced and compiled once, called like a function over typed arrays.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import { DataError, type Fields } from '../data/index.js'
import {
  count,
  type DType,
  feed,
  type HostArray,
  hostArray,
  type HostArrays,
  OstrichError,
  type Tensor,
  type TraceMode,
} from '../graph/index.js'
import { withDraws } from '../ops/random.js'
import type { Programs } from './programs.js'

/** Extents of an input; the dtype is f32, or that of the session's integer field of this name, unless told. */
export type Extent = readonly number[] | { readonly dtype: DType; readonly shape: readonly number[] }

/** Options of `session.compile`. */
export interface CompileOptions {
  /** `train` turns dropout on. Default: `eval`. */
  readonly mode?: TraceMode
  /** `bf16` only in a session that trains in it. Default: `f32`. */
  readonly precision?: CompilePrecision
}

const schema: Schema<CompileOptions> = {
  mode: is.oneOf('train', 'eval'),
  precision: is.oneOf('f32', 'tf32', 'bf16'),
}
const anExtent = is.kind('a list of extents or { dtype, shape }', (value) => {
  return is.numbers.accepts((value as { readonly shape?: unknown } | undefined)?.shape ?? value)
})

/** The feed that counts the runs of functions that draw: no name that an input has. */
const RUN = '#run'

/** A function of tensors, which come in the order of their extents, to tensors by name. */
export type Traceable<R> = {
  /** Of the inputs. */ of(...inputs: Tensor[]): R
}['of']

/** What the function returns, by name, as typed arrays. */
export type Results<R> = {
  -readonly [K in keyof R]: R[K] extends Tensor<infer D extends DType> ? HostArrays[D] : never
}

/** A compiled function. */
export interface Compiled<R> {
  /**
   * Runs it; inputs are copied before it returns, and calls may overlap.
   * @throws DataError for an input that is missing, unknown or of another type or length
   */
  run(inputs: Readonly<Record<string, HostArray>>): Promise<Results<R>>
  /** Frees the program; later runs throw `ERR_DISPOSED`. */
  dispose(): void
  /** The same, for `using`. */
  [Symbol.dispose](): void
}

/** Compiles `fn` over inputs named and ordered as in `extents`; `most` is the precision of the session or model. */
export async function compileFunction<R extends Readonly<Record<string, Tensor>>>(
  programs: Programs,
  fn: Traceable<R>,
  extents: Readonly<Record<string, Extent>>,
  options: CompileOptions & { readonly fields: Fields; readonly most: CompilePrecision; readonly name?: string },
): Promise<Compiled<R>> {
  const { fields, most, name = 'compiled', ...own } = options
  expectOptions('compile', own, schema)
  expectKind('compile', 'fn', is.callable, fn)
  expectKind('compile', 'extents', is.object, extents)
  for (const [name, extent] of Object.entries(extents)) expectKind('compile', name, anExtent, extent)
  const { mode = 'eval', precision = 'f32' } = own
  if (precision === 'bf16' && most !== 'bf16') {
    throw new OstrichError('ERR_OPTION', 'compile[precision]: expected f32 of weights that are kept in f32, got bf16')
  }
  const names = Object.keys(extents)
  if (fn.length > names.length) {
    throw new OstrichError('ERR_OPTION', `compile: expected extents for ${fn.length} inputs, got ${names.length}`)
  }
  const built = await programs.build({ name, mode, precision }, () => {
    const inputs = names.map((name) => declared(name, extents[name]!, fields))
    let run: Tensor<'i32', []> | undefined
    return withDraws(
      () => (run ??= feed(RUN, 'i32', [])),
      () => fn(...inputs),
    )
  })
  const { program, feeds, assigned } = built
  const drawing = feeds.some(({ name }) => name === RUN)
  const updates = [...assigned].some(({ role }) => role === 'parameter')
  const dispose = (): void => {
    programs.free(built)
  }
  return {
    async run(inputs) {
      const fetches = Object.fromEntries(
        built.fetches.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]),
      )
      checkNames(inputs, names)
      await program.run(drawing ? { ...inputs, [RUN]: Int32Array.of(programs.draws++) } : inputs, fetches)
      if (updates) await programs.refreshShadows()
      return fetches as Results<R>
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function declared(name: string, extent: Extent, fields: Fields): Tensor {
  if ('shape' in extent) return feed(name, extent.dtype, extent.shape)
  return feed(name, fields[name]?.dtype === 'i32' ? 'i32' : 'f32', extent)
}

function checkNames(inputs: Readonly<Record<string, HostArray>>, names: readonly string[]): void {
  const extra = Object.keys(inputs).find((name) => !names.includes(name))
  const missing = names.find((name) => !(name in inputs))
  if (extra === undefined && missing === undefined) return
  const got = extra === undefined ? `no ${String(missing)}` : extra
  throw new DataError(`run: expected inputs ${names.join(', ')}, got ${got}`)
}
