// Runs a graph on a backend of the addon, for comparison with the interpreter. Where the addon cannot be loaded, or a
// backend is not available, tests are skipped and counted, unless OSTRICH_REQUIRE names it (`cpu`, `cpu,cuda`).
import { compileGraph } from '../../lib/compile/index.js'
import { count, type DType, type Graph, type HostArray, hostArray } from '../../lib/graph/index.js'
import { type Device, openDevice } from '../../lib/runtime/index.js'
import { loadBinding } from '../../lib/runtime/load-binding.js'
import type { NDArray } from './ndarray.js'
import { toBf16 } from './random.js'

export interface Backend {
  readonly name: string
  /** Why it is not there. */
  readonly reason?: string
}

/** The backends that the addon knows; the CPU with a reason where there is no addon. */
export function backends(): readonly Backend[] {
  const found = known()
  const required = (process.env['OSTRICH_REQUIRE'] ?? '').split(',').filter((name) => name !== '')
  for (const name of required) {
    const backend = found.find((item) => item.name === name)
    if (backend === undefined || backend.reason !== undefined) {
      throw new Error(`OSTRICH_REQUIRE: expected ${name} to be available, got: ${backend?.reason ?? 'no such backend'}`)
    }
  }
  return found
}

function known(): readonly Backend[] {
  try {
    const list = loadBinding().backends()
    return list.map(({ name, available, reason = 'unknown' }) => (available ? { name } : { name, reason }))
  } catch (error) {
    return [{ name: 'cpu', reason: error instanceof Error ? error.message : String(error) }]
  }
}

const devices = new Map<string, Promise<Device>>()

/** One device of each backend for all tests of a file. */
function deviceOf(backend: string): Promise<Device> {
  const device = devices.get(backend) ?? openDevice({ device: backend as 'cpu' | 'cuda', threads: 2 })
  devices.set(backend, device)
  return device
}

const word = new DataView(new ArrayBuffer(4))

function toHost(dtype: DType, { data }: NDArray): HostArray {
  const array = hostArray(dtype, data.length)
  data.forEach((x, i) => {
    if (dtype === 'bf16') word.setFloat32(0, toBf16(x))
    array[i] = dtype === 'bf16' ? word.getUint16(0) : x
  })
  return array
}

function fromHost(dtype: DType, shape: readonly number[], array: HostArray): NDArray {
  const data = Float64Array.from(array, (x) => {
    if (dtype !== 'bf16') return x
    word.setUint32(0, x << 16)
    return word.getFloat32(0)
  })
  return { shape, data }
}

/**
 * Compiles a graph as it stands (no mixed precision), runs it once on feeds in order, and gives its fetches in order.
 * With `tf32` the program lets the backend round the operands of f32 products to it.
 */
export async function runNative(
  graph: Graph,
  inputs: readonly NDArray[],
  backend: string,
  { tf32 = false } = {},
): Promise<NDArray[]> {
  const { text, states, feeds } = compileGraph(graph, { precision: tf32 ? 'tf32' : 'f32' })
  if (states.length > 0) throw new Error(`expected a graph without states, got ${states[0]!.name}`)
  const device = await deviceOf(backend)
  const program = await device.compile(text, [])
  try {
    const given = Object.fromEntries(feeds.map(({ name, dtype }, i) => [name, toHost(dtype, inputs[i]!)]))
    const sized = Object.fromEntries(
      graph.fetches.map(({ name, tensor }) => [name, hostArray(tensor.dtype, count(tensor.shape))]),
    )
    const results = await program.run(given, sized)
    return graph.fetches.map(({ name, tensor }) => fromHost(tensor.dtype, tensor.shape, results[name]!))
  } finally {
    program.dispose()
  }
}
