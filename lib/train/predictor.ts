// A network for use: any number of examples in, one row of output for each, many calls at once. Programs have fixed
// extents, so there is one per power of two; larger inputs are cut, and a rest is padded.
import type { CompilePrecision } from '../compile/index.js'
import { DataError, type FieldArray, type FieldDtype, type FieldSpec } from '../data/index.js'
import { count, feed, hostArray, type HostArray } from '../graph/index.js'
import type { Built, Programs } from './programs.js'
import { checkKind } from './fields.js'
import { prepared } from './objective.js'
import type { Inputs, Network } from './types.js'

/** Examples in the largest program: beyond this a larger batch is no faster. */
const MOST = 256

/** Options of `predict`. */
export interface PredictOptions {
  /** `x` is f32 as the network itself takes it, after whatever prepares its field (bytes scaled to 0..1). Default: false. */
  readonly prepared?: boolean
}

/** Compiles what it needs when it is first needed, on the session's state. */
export class Predictor {
  readonly #programs: Programs
  readonly #net: Network
  readonly #inputs: Inputs
  readonly #field: FieldSpec
  readonly #precision: CompilePrecision
  readonly #built = new Map<string, Promise<Built>>()

  constructor(programs: Programs, net: Network, inputs: Inputs, field: FieldSpec, precision: CompilePrecision) {
    this.#programs = programs
    this.#net = net
    this.#inputs = inputs
    this.#field = field
    this.#precision = precision
  }

  /**
   * The network's output for each example of `x`, row after row.
   * @throws DataError where `x` is no typed array of whole examples, of the kind that the network was trained on
   */
  async predict(x: FieldArray, { prepared: ready = false }: PredictOptions = {}): Promise<HostArray> {
    if ((this.#field.batchAxis ?? 0) !== 0) {
      throw new DataError('predict[x]: expected a network of single examples, got one of sequences: compile a function')
    }
    const dtype = dtypeOf(x)
    const width = count(this.#field.shape)
    if (dtype === undefined || x.length === 0 || x.length % width !== 0) {
      const got = dtype === undefined ? typeof x : `${x.constructor.name} of length ${x.length}`
      throw new DataError(
        `predict[x]: expected a Uint8Array, Int32Array or Float32Array of whole examples of ${width} values, got ${got}`,
      )
    }
    if (ready && dtype !== 'f32') {
      throw new DataError(`predict[x]: expected a Float32Array, as it is prepared, got ${x.constructor.name}`)
    }
    const hint =
      dtype === 'f32' ? ' (say { prepared: true } of what the network itself takes, such as bytes scaled to 0..1)' : ''
    if (!ready) checkKind('predict[x]', dtype, this.#field.dtype, hint)
    const examples = x.length / width
    const parts: Promise<HostArray>[] = []
    for (let at = 0; at < examples; at += MOST) {
      const rows = x.subarray(at * width, Math.min(examples, at + MOST) * width)
      parts.push(this.#part(rows, ready, rows.length / width))
    }
    return joined(await Promise.all(parts))
  }

  async #part(rows: FieldArray, ready: boolean, examples: number): Promise<HostArray> {
    const batch = 2 ** Math.ceil(Math.log2(examples))
    const { program, fetches } = await this.#program(ready, batch)
    const port = fetches[0]!
    const output = hostArray(port.dtype, count(port.shape))
    await program.run({ x: padded(rows, batch * count(this.#field.shape)) }, { output })
    return output.subarray(0, (output.length / batch) * examples)
  }

  #program(ready: boolean, batch: number): Promise<Built> {
    const key = `${ready}:${batch}`
    let built = this.#built.get(key)
    if (built === undefined) {
      const options = { name: `predict${batch}`, mode: 'eval', precision: this.#precision } as const
      built = this.#programs.build(options, () => {
        const x = feed('x', ready ? 'f32' : this.#field.dtype, [batch, ...this.#field.shape])
        return { output: this.#net(ready ? x : prepared(this.#inputs, 'x', x)) }
      })
      this.#built.set(key, built)
    }
    return built
  }
}

function dtypeOf(x: unknown): FieldDtype | undefined {
  if (x instanceof Uint8Array) return 'u8'
  if (x instanceof Int32Array) return 'i32'
  return x instanceof Float32Array ? 'f32' : undefined
}

function padded(rows: FieldArray, length: number): FieldArray {
  if (rows.length === length) return rows
  const whole = hostArray<FieldDtype>(dtypeOf(rows) ?? 'f32', length)
  whole.set(rows)
  return whole
}

function joined(parts: readonly HostArray[]): HostArray {
  const [first] = parts
  if (first === undefined || parts.length === 1) return first ?? new Float32Array(0)
  const all = new (first.constructor as new (length: number) => HostArray)(
    parts.reduce((length, part) => length + part.length, 0),
  )
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
