// Runs an iteration over rows that lives on a device: one program starts rows, one carries all on, one reads them. Any number of
// problems goes through a fixed number of rows: where enough rows have ended, what they found is read and others start there.
import { count, hostArray, type HostArray, OstrichError, type Tensor } from '../graph/index.js'
import { type CompiledFunction, type Compiler, type Extent, typed } from './compiler.js'

type Named<T> = Readonly<Record<string, T>>

/** What the three programs are traced from; they share variables. */
export interface RowPhases {
  /** Extents for all rows, [N, ...]. */
  readonly inputs: Named<Extent>
  /** Puts the rows where `fresh`, u8 [N, 1], is 1 at their start. A number other than 0 in `fault`, [N], says why a row cannot be. */
  start(inputs: Named<Tensor>, fresh: Tensor): Named<Tensor>
  /** Carries the rows on, and gives how many of them still run, f32 []. */
  cycle(): Tensor
  /** What was found, [N, ...] by name, and `ended`, [N], which is 0 where a row runs. */
  finish(): Named<Tensor>
  /** What is wrong with a problem whose row has a fault. */
  refusal?(fault: number, problem: number, inputs: Named<HostArray>): Error
}

/** Rows that must have ended before others start in their place: a part of all. */
const share = 1 / 8

/** Three programs; one call at a time. */
export class RowIteration {
  readonly #name: string
  readonly #phases: RowPhases
  #programs: readonly CompiledFunction[]
  #busy = false

  private constructor(name: string, phases: RowPhases, programs: readonly CompiledFunction[]) {
    this.#name = name
    this.#phases = phases
    this.#programs = programs
  }

  /** Compiles the three; frees what it compiled where one of them fails. */
  static async compile(name: string, compiler: Compiler, phases: RowPhases): Promise<RowIteration> {
    const { rows, extents } = slotsOf(phases.inputs)
    const labels = Object.keys(extents)
    const programs: CompiledFunction[] = []
    const start = (fresh: Tensor, ...inputs: Tensor[]) =>
      phases.start(Object.fromEntries(labels.map((label, i) => [label, inputs[i]!])), fresh)
    try {
      programs.push(await compiler.compile(start, { fresh: { dtype: 'u8', shape: [rows, 1] }, ...extents }))
      programs.push(await compiler.compile(() => ({ running: phases.cycle() }), {}))
      programs.push(await compiler.compile(() => phases.finish(), {}))
      return new RowIteration(name, phases, programs)
    } catch (error) {
      for (const program of programs) program.dispose()
      throw error
    }
  }

  /**
   * Solves as many problems as the inputs hold, and gives what `finish` reads, for each.
   * @throws OstrichError `ERR_STATE` while another call runs, `ERR_DISPOSED` after dispose, `ERR_DATA` for inputs that do not fit
   */
  async run(inputs: Named<HostArray>, onProgress?: (done: number) => void): Promise<Named<HostArray>> {
    const [start, cycle, finish] = this.#programs
    if (start === undefined || cycle === undefined || finish === undefined) {
      throw new OstrichError('ERR_DISPOSED', `${this.#name}: expected a live solver, got one that was disposed`)
    }
    if (this.#busy) throw new OstrichError('ERR_STATE', `${this.#name}: expected one call at a time, got a second`)
    this.#busy = true
    try {
      const slots = new Slots(this.#name, this.#phases.inputs, inputs)
      while (slots.left > 0) {
        if (slots.waiting > 0) this.#check(await start.run(slots.fill()), slots, inputs)
        const enough = Math.max(1, Math.ceil(slots.rows * share))
        let running = slots.rows
        while (running > 0 && (slots.waiting === 0 || slots.rows - running < enough)) {
          running = (await cycle.run({}))['running']?.[0] ?? 0
        }
        slots.collect(await finish.run({}))
        onProgress?.(slots.done)
      }
      return slots.found
    } finally {
      this.#busy = false
    }
  }

  #check(started: Named<HostArray>, slots: Slots, inputs: Named<HostArray>): void {
    const faults = started['fault']
    if (faults === undefined) return
    const slot = slots.problems.findIndex((problem, i) => problem >= 0 && faults[i] !== 0)
    if (slot < 0) return
    const error = this.#phases.refusal?.(faults[slot]!, slots.problems[slot]!, inputs)
    throw (
      error ?? new OstrichError('ERR_DATA', `${this.#name}: expected rows that can start, got fault ${faults[slot]!}`)
    )
  }

  /** Frees the programs and their memory. */
  dispose(): void {
    for (const program of this.#programs) program.dispose()
    this.#programs = []
  }
}

function slotsOf(inputs: Named<Extent>) {
  const extents = Object.fromEntries(Object.entries(inputs).map(([name, extent]) => [name, typed(extent)]))
  return { rows: Object.values(extents)[0]?.shape[0] ?? 1, extents }
}

/** Which problem each row works on, and what was found for those that ended. */
class Slots {
  readonly rows: number
  /** Of each row; -1 where it works on none. */
  readonly problems: Int32Array
  readonly found: Record<string, HostArray> = {}
  /** Problems without an end. */
  left: number
  #next = 0
  readonly #total: number
  readonly #inputs: Named<HostArray>
  readonly #feeds: Named<HostArray>
  readonly #fresh: Uint8Array

  constructor(name: string, extents: Named<Extent>, inputs: Named<HostArray>) {
    const { rows, extents: known } = slotsOf(extents)
    this.rows = rows
    const widths = Object.entries(known).map(([label, { shape }]) => [label, count(shape.slice(1))] as const)
    const [[first, width] = ['x', 1]] = widths
    this.#total = Math.floor((inputs[first]?.length ?? 0) / width)
    for (const [label, each] of widths) {
      const got = inputs[label]?.length
      if (got !== undefined && got > 0 && got === this.#total * each) continue
      const expected = label === first ? `${each} values for each row` : `${this.#total} rows of ${each}`
      throw new OstrichError('ERR_DATA', `${name}[${label}]: expected ${expected}, got ${got ?? 'none'}`)
    }
    this.left = this.#total
    this.problems = new Int32Array(rows).fill(-1)
    this.#inputs = inputs
    this.#fresh = new Uint8Array(rows)
    this.#feeds = Object.fromEntries(
      Object.entries(known).map(([label, { dtype, shape }]) => [label, hostArray(dtype, count(shape))]),
    )
  }

  /** Problems that no row works on yet. */
  get waiting(): number {
    return this.#total - this.#next
  }

  /** Problems that have ended. */
  get done(): number {
    return this.#total - this.left
  }

  /** Gives the next problems to rows that have none. A row that finds none left repeats the first, for nobody. */
  fill(): Named<HostArray> {
    const first = this.#next === 0
    for (let row = 0; row < this.rows; row++) {
      const idle = this.problems[row]! < 0
      const problem = idle && this.#next < this.#total ? this.#next++ : -1
      this.#fresh[row] = problem >= 0 || (idle && first) ? 1 : 0
      if (this.#fresh[row] === 0) continue
      if (problem >= 0) this.problems[row] = problem
      for (const [label, feed] of Object.entries(this.#feeds))
        copyRow(this.#inputs[label]!, Math.max(0, problem), feed, row, this.rows)
    }
    return { fresh: this.#fresh, ...this.#feeds }
  }

  /** Takes in what the rows found that have ended. */
  collect({ ended, ...results }: Named<HostArray>): void {
    for (let row = 0; row < this.rows; row++) {
      const problem = this.problems[row]!
      if (problem < 0 || ended?.[row] === 0) continue
      for (const [label, values] of Object.entries(results)) {
        const width = values.length / this.rows
        const all = (this.found[label] ??= new (values.constructor as new (length: number) => HostArray)(
          this.#total * width,
        ))
        all.set(values.subarray(row * width, (row + 1) * width), problem * width)
      }
      this.problems[row] = -1
      this.left -= 1
    }
  }
}

function copyRow(from: HostArray, place: number, to: HostArray, row: number, rows: number): void {
  const width = to.length / rows
  to.set(from.subarray(place * width, (place + 1) * width), row * width)
}
