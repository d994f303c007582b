// Programs as text on the device that tests are told, with what their states hold before and after.
import { type DType, type HostArray } from '../../lib/graph/index.js'
import { loadBinding } from '../../lib/runtime/load-binding.js'
import { backends } from './native.js'

export const backend = process.env['OSTRICH_TEST_DEVICE'] ?? 'cpu'
export const missing = backends().find(({ name }) => name === backend)?.reason

/** A program but for its name and format. */
export interface Text {
  readonly feeds?: readonly object[]
  readonly states?: readonly { readonly dtype: DType; readonly shape: readonly number[] }[]
  readonly constants?: readonly object[]
  readonly nodes: readonly object[]
  readonly assigns?: readonly object[]
  readonly fetches?: readonly object[]
}
/** A value of a program. */
export const value = (id: number, shape: readonly number[], dtype: DType = 'f32') => ({
  value: id,
  dtype,
  shape,
  name: `v${id.toString()}`,
})
/** A chain of pointwise ops. */
export const pointwise = (inputs: readonly number[], out: readonly object[], chain: readonly unknown[]) => ({
  op: 'pointwise',
  path: 'here',
  in: inputs,
  out,
  attrs: { chain, outputs: out.map((_, k) => inputs.length + chain.length - out.length + k) },
})
export const plusOne = [['add', 'f32', 0, { c: 1 }]]

/** A device for such programs; none where it is missing. */
export function placed() {
  const options = { backend, index: 0, threads: 2, profile: false, deterministic: false, memoryLimit: 0 }
  const device = missing === undefined ? new (loadBinding().Device)(options) : undefined
  /** Runs once; `states` are written first, and read into their arrays afterwards. */
  async function run(text: Text, states: readonly HostArray[], feeds: readonly HostArray[], fetches: HostArray[]) {
    const buffers = (text.states ?? []).map((spec, i) => device!.alloc({ ...spec, name: `s${i.toString()}` }))
    await Promise.all(buffers.map((buffer, i) => buffer.write(states[i]!)))
    const all = { feeds: [], states: [], constants: [], assigns: [], fetches: [], ...text }
    const json = JSON.stringify({ format: 'ostrich-program', version: 1, name: 'placement', ...all })
    const program = await device!.compile(json, buffers)
    const error = await program.run(feeds, fetches).then(
      () => undefined,
      (met: unknown) => met as Error,
    )
    await Promise.all(buffers.map((buffer, i) => buffer.read(states[i]!)))
    return { error, arenaBytes: program.stats().arenaBytes }
  }
  return { run, dispose: () => device?.dispose() }
}
