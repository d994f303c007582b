// The memory of a session: one device buffer per variable, shared by every program that reads it.
// Copies of parameters in another dtype (shadows) are known here, but programs write them.
import { type HostArray, hostArray, Names, type Variable } from '../graph/index.js'
import type { ProgramState } from '../compile/index.js'
import { step as stepVariable } from '../ops/index.js'
import type { Buffer, Device } from '../runtime/index.js'

/** A variable, the path that names it everywhere, and its memory. */
export interface StateEntry {
  readonly name: string
  readonly variable: Variable
  readonly buffer: Buffer
  /** The parameter of which this is a copy in another dtype. */
  readonly shadowOf: Variable | undefined
}

/** Every variable of a session, in the order in which programs first read it. */
export class StateStore {
  /** Gives every trace of the session the same paths. */
  readonly names = new Names()
  readonly #device: Device
  readonly #entries = new Map<Variable, StateEntry>()
  readonly #fresh = new Set<StateEntry>()
  /** How many programs read a scratch variable. */
  readonly #readers = new Map<Variable, number>()

  constructor(device: Device) {
    this.#device = device
  }

  /** Buffers of a program's states in its order; those of variables that are new here are allocated and hold nothing yet. */
  bind(states: readonly ProgramState[]): Buffer[] {
    return states.map(({ name, variable, shadowOf }) => {
      // A program may read the copy alone, but the copy's values come from its parameter: that is state of the session too.
      if (shadowOf !== undefined) this.#entry(this.names.variable(shadowOf, ''), shadowOf, undefined)
      if (variable.role === 'scratch') this.#readers.set(variable, (this.#readers.get(variable) ?? 0) + 1)
      return this.#entry(name, variable, shadowOf).buffer
    })
  }

  /** Takes back what `bind` gave for a program that has ended: scratch variables without another reader are freed. */
  release(states: readonly ProgramState[]): void {
    for (const { variable } of states) {
      if (variable.role !== 'scratch') continue
      const left = (this.#readers.get(variable) ?? 1) - 1
      this.#readers.set(variable, left)
      const entry = this.#entries.get(variable)
      if (left > 0 || entry === undefined) continue
      this.#readers.delete(variable)
      this.#entries.delete(variable)
      this.#fresh.delete(entry)
      entry.buffer.dispose()
    }
  }

  #entry(name: string, variable: Variable, shadowOf: Variable | undefined): StateEntry {
    const known = this.#entries.get(variable)
    if (known !== undefined) return known
    const { dtype, shape } = variable
    const entry = { name, variable, shadowOf, buffer: this.#device.alloc({ name, dtype, shape }) }
    this.#entries.set(variable, entry)
    this.#fresh.add(entry)
    return entry
  }

  /** What holds nothing yet. */
  fresh(): StateEntry[] {
    return [...this.#fresh]
  }

  /** From now on these count as holding a value. */
  settle(entries: readonly StateEntry[]): void {
    for (const entry of entries) this.#fresh.delete(entry)
  }

  /** Everything that a checkpoint holds: all variables but the derived copies and what programs work on. */
  entries(): StateEntry[] {
    return [...this.#entries.values()].filter(
      ({ shadowOf, variable }) => shadowOf === undefined && variable.role !== 'scratch',
    )
  }

  shadows(): StateEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.shadowOf !== undefined)
  }

  parameters(): StateEntry[] {
    return this.entries().filter((entry) => entry.variable.role === 'parameter')
  }

  /** Reads variables back to the host, by path: all parameters, or those of these paths that are here, whatever they are for. */
  async read(paths?: readonly string[]): Promise<Record<string, HostArray>> {
    const chosen = paths && [...this.#entries.values()].filter(({ name }) => paths.includes(name))
    const values: Record<string, HostArray> = {}
    for (const entry of chosen ?? this.parameters()) values[entry.name] = await readState(entry)
    return values
  }

  /** Training steps that the device has finished; a step that failed is none of them. */
  async steps(): Promise<number> {
    const entry = this.#entries.get(stepVariable)
    return entry === undefined ? 0 : Number((await readState(entry))[0])
  }

  get(variable: Variable): StateEntry | undefined {
    return this.#entries.get(variable)
  }

  dispose(): void {
    for (const { buffer } of this.#entries.values()) buffer.dispose()
    this.#entries.clear()
  }
}

/** Reads a variable back to the host. */
export async function readState(entry: StateEntry): Promise<HostArray> {
  const data = hostArray(entry.variable.dtype, entry.variable.count)
  await entry.buffer.read(data)
  return data
}
