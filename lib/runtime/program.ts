// A compiled program: named arrays in, named arrays out. Names are checked here, types and lengths by the addon.
import { count, type DType, type HostArray, hostArray, type Shape } from '../graph/index.js'
import type { NativeProgram, NativeStats } from './binding.js'
import { DeviceError, guarded, rethrow } from './errors.js'

/** Host arrays by the name of a feed or fetch. */
export type HostArrays = Readonly<Record<string, HostArray>>

export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** What `stats()` tells; `explain` is the plan as text, `profile` JSON when the device was opened with `profile`. */
export type ProgramStats = NativeStats

/** A program bound to its buffers; made by `device.compile`. */
export class Program {
  readonly name: string
  readonly feeds: readonly Port[]
  readonly fetches: readonly Port[]
  readonly #native: NativeProgram

  constructor(
    name: string,
    ports: { readonly feeds: readonly Port[]; readonly fetches: readonly Port[] },
    native: NativeProgram,
  ) {
    this.name = name
    this.feeds = ports.feeds
    this.fetches = ports.fetches
    this.#native = native
  }

  /**
   * One run. Feeds are copied before it returns, so that the arrays may be reused or transferred at once; runs happen in
   * the order of the calls. Resolves to `fetches`, filled: a fetch that it does not name is skipped; without it, new
   * arrays for all. With `lent`, feeds over a SharedArrayBuffer are not copied but read where they lie: nobody may write to them until the
   * run has ended.
   * @throws DeviceError `ERR_ARGUMENT` for a feed that is missing, unknown, of another type or length; `ERR_DATA` for
   *   values that an op refuses; `ERR_DISPOSED` after dispose.
   * @example const { loss } = await program.run({ x, labels })
   */
  async run(feeds: HostArrays, fetches?: HostArrays, { lent = false } = {}): Promise<HostArrays> {
    const results = fetches ?? allocate(this.fetches)
    const given = this.feeds.map(({ name }) => feeds[name] ?? this.#missing(name))
    const wanted = this.fetches.map(({ name }) => results[name] ?? null)
    this.#expectKnown('feed', feeds, this.feeds)
    this.#expectKnown('fetch', results, this.fetches)
    await this.#native.run(given, wanted, lent).catch(rethrow)
    return results
  }

  /** Counters of the runs that have ended, and the plan as text; waits for nothing. */
  stats(): ProgramStats {
    return guarded(() => this.#native.stats())
  }

  /** Frees the program once its runs under way have ended; later runs reject. */
  dispose(): void {
    guarded(() => {
      this.#native.dispose()
    })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #missing(name: string): never {
    throw new DeviceError('ERR_ARGUMENT', `run[${this.name}]: expected feed ${name}, got none`)
  }

  #expectKnown(kind: string, arrays: HostArrays, ports: readonly Port[]): void {
    for (const name in arrays) {
      if (ports.some((port) => port.name === name)) continue
      const known = ports.length === 0 ? `no ${kind}` : `${kind} ${ports.map((port) => port.name).join(', ')}`
      throw new DeviceError('ERR_ARGUMENT', `run[${this.name}]: expected ${known}, got ${name}`)
    }
  }
}

function allocate(ports: readonly Port[]): HostArrays {
  return Object.fromEntries(ports.map(({ name, dtype, shape }) => [name, hostArray(dtype, count(shape))]))
}

interface TextPort {
  readonly value: number
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

interface ProgramText {
  readonly name: string
  readonly feeds: readonly TextPort[]
  readonly states: readonly TextPort[]
  readonly constants: readonly TextPort[]
  readonly nodes: readonly { readonly out: readonly TextPort[] }[]
  readonly fetches: readonly { readonly name: string; readonly value: number }[]
}

/** Name and ports of a program text that the addon has accepted. */
export function readPorts(text: string): { name: string; feeds: Port[]; fetches: Port[] } {
  const program = JSON.parse(text) as ProgramText
  const values: TextPort[] = []
  const defined = [program.feeds, program.states, program.constants, program.nodes.flatMap((node) => node.out)]
  for (const value of defined.flat()) values[value.value] = value
  const port = (name: string, { dtype, shape }: TextPort): Port => ({ name, dtype, shape })
  return {
    name: program.name,
    feeds: program.feeds.map((feed) => port(feed.name, feed)),
    fetches: program.fetches.map((fetch) => port(fetch.name, values[fetch.value]!)),
  }
}
