// Networks as ONNX files beside themselves: the same random inputs and weights, on our device and in ONNX Runtime.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor as Ort } from 'onnxruntime-node'
import { PhiloxStream } from '../../lib/data/index.js'
import { count, type DType, feed, type HostArray, hostArray, type Tensor } from '../../lib/graph/index.js'
import { exportOnnx } from '../../lib/infer/onnx/save.js'
import { openDevice } from '../../lib/runtime/index.js'
import type { Traceable } from '../../lib/train/compiled.js'
import { Programs } from '../../lib/train/programs.js'
import { StateStore } from '../../lib/train/state.js'

/** An input: its type, and where its elements lie; those of f32 are from -1 to 1. */
export interface Input {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly below?: number
  readonly from?: number
}

/** A network, and its inputs for a batch of so many. */
export interface Exportable {
  readonly fn: Traceable<Readonly<Record<string, Tensor>>>
  readonly inputs: (batch: number) => Readonly<Record<string, Input>>
}

export interface Compared {
  /** Of all results, relative to the largest number of a result or 1. */
  readonly error: number
  /** The file. */
  readonly bytes: Buffer
  readonly session: InferenceSession
}

const types = { f32: 'float32', i32: 'int32', u8: 'uint8' } as const

/** Exports a network with weights of its initialisers and compares both for `batch` examples, of which the file must take any number. */
export async function compared({ fn, inputs }: Exportable, batch = 20, fixed?: number): Promise<Compared> {
  const folder = await mkdtemp(join(tmpdir(), 'ostrich-onnx-'))
  const device = await openDevice({ device: 'cpu' })
  const store = new StateStore(device)
  const programs = new Programs(device, store, 7)
  try {
    const given = inputs(batch)
    const names = Object.keys(given)
    const built = await programs.build({ name: 'own', mode: 'eval', precision: 'f32', brings: true }, () =>
      fn(...names.map((name) => feed(name, given[name]!.dtype, given[name]!.shape))),
    )
    const data = Object.fromEntries(names.map((name, i) => [name, random(given[name]!, i)]))
    const own = Object.fromEntries(
      built.fetches.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]),
    )
    await built.program.run(data, own)
    const path = join(folder, 'network.onnx')
    const model = {
      names: store.names,
      net: () => {
        throw new Error('the function is exported')
      },
      inputs: {},
      field: { dtype: 'f32', shape: [] },
      values: (paths: readonly string[]) => store.read(paths),
    } as const
    await exportOnnx(model, path, { fn, inputs, ...(fixed !== undefined && { batch: fixed }) })
    const session = await InferenceSession.create(path, { logSeverityLevel: 3 })
    const fed = names.map((name): [string, Ort] => {
      const { dtype, shape } = given[name]!
      return [name, new Ort(types[dtype as 'f32'], data[name] as Float32Array, [...shape])]
    })
    // States that runs carry on start from zeros, as those of a fresh program do.
    const carried = session.inputMetadata.flatMap((input): [string, Ort][] => {
      if (!input.isTensor || names.includes(input.name)) return []
      const shape = input.shape.map((extent) => (typeof extent === 'number' ? extent : batch))
      return [[input.name, new Ort('float32', new Float32Array(count(shape)), shape)]]
    })
    const theirs = await session.run(Object.fromEntries([...fed, ...carried]))
    const errors = Object.entries(own).map(([name, values]) => errorOf(values, theirs[name]!.data as Float32Array))
    return { error: Math.max(...errors), bytes: await readFile(path), session }
  } finally {
    programs.dispose()
    store.dispose()
    await device.dispose()
    await rm(folder, { recursive: true })
  }
}

function random({ dtype, shape, below = 256, from = 0 }: Input, stream: number): HostArray {
  const noise = new PhiloxStream(11, stream, 0)
  const values = hostArray(dtype, count(shape))
  for (let i = 0; i < values.length; i++)
    values[i] = dtype === 'f32' ? noise.below(2001) / 1000 - 1 : from + noise.below(below - from)
  return values
}

function errorOf(own: HostArray, theirs: Float32Array): number {
  if (own.length !== theirs.length) return Infinity
  let [error, largest] = [0, 1]
  for (const [i, value] of own.entries()) {
    error = Math.max(error, Math.abs(value - theirs[i]!))
    largest = Math.max(largest, Math.abs(value))
  }
  return Number.isNaN(error) ? Infinity : error / largest
}
