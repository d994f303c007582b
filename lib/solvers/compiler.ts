// What a solver runs on: anything that compiles functions over tensors for a device, such as a session.
import type { DType, HostArray, Tensor } from '../graph/index.js'

/** Extents of an input; f32 unless told. */
export type Extent = readonly number[] | { readonly dtype: DType; readonly shape: readonly number[] }

/** A compiled function: arrays in, arrays out, by name. */
export interface CompiledFunction {
  /** Runs it on inputs by name. */
  run(inputs: Readonly<Record<string, HostArray>>): Promise<Readonly<Record<string, HostArray>>>
  /** Frees it; later runs throw. */
  dispose(): void
}

/** Compiles functions over tensors; a session does. Variables that the functions share are theirs, and hold their values. */
export interface Compiler {
  /** Traces and compiles a function of inputs, named and ordered as in `extents`. */
  compile(
    fn: { /** Of the inputs. */ of(...inputs: Tensor[]): Readonly<Record<string, Tensor>> }['of'],
    extents: Readonly<Record<string, Extent>>,
  ): Promise<CompiledFunction>
}

/** An extent with its dtype. */
export function typed(extent: Extent): { readonly dtype: DType; readonly shape: readonly number[] } {
  return 'shape' in extent ? extent : { dtype: 'f32', shape: extent }
}
