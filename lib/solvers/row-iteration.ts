// Runs an iteration over rows that lives on a device: one program starts it, one carries it on until no row runs, one reads it.
import { type HostArray, OstrichError, type Tensor } from '../graph/index.js'
import type { CompiledFunction, Compiler, Extent } from './compiler.js'

type Named<T> = Readonly<Record<string, T>>

/** What the three programs are traced from; they share variables. */
export interface RowPhases {
  readonly inputs: Named<Extent>
  /** Puts all rows at their start. */
  start(inputs: Named<Tensor>): void
  /** Carries the rows on, and gives how many of them still run, f32 []. */
  cycle(): Tensor
  finish(): Named<Tensor>
}

const order = ['start', 'cycle', 'finish'] as const

/** Three programs; one call at a time. */
export class RowIteration {
  readonly #name: string
  #programs: readonly CompiledFunction[]
  #busy = false

  private constructor(name: string, programs: readonly CompiledFunction[]) {
    this.#name = name
    this.#programs = programs
  }

  /** Compiles the three; frees what it compiled where one of them fails. */
  static async compile(name: string, compiler: Compiler, phases: RowPhases): Promise<RowIteration> {
    const labels = Object.keys(phases.inputs)
    const functions = {
      start: (...inputs: Tensor[]) => {
        phases.start(Object.fromEntries(labels.map((label, i) => [label, inputs[i]!])))
        return {}
      },
      cycle: () => ({ running: phases.cycle() }),
      finish: () => phases.finish(),
    }
    const programs: CompiledFunction[] = []
    try {
      for (const phase of order) {
        programs.push(await compiler.compile(functions[phase], phase === 'start' ? phases.inputs : {}))
      }
      return new RowIteration(name, programs)
    } catch (error) {
      for (const program of programs) program.dispose()
      throw error
    }
  }

  /**
   * Runs to the end of all rows, and gives what `finish` reads.
   * @throws OstrichError `ERR_STATE` while another call runs, `ERR_DISPOSED` after dispose
   */
  async run(inputs: Named<HostArray>): Promise<Named<HostArray>> {
    const [start, cycle, finish] = this.#programs
    if (start === undefined || cycle === undefined || finish === undefined) {
      throw new OstrichError('ERR_DISPOSED', `${this.#name}: expected a live solver, got one that was disposed`)
    }
    if (this.#busy) throw new OstrichError('ERR_STATE', `${this.#name}: expected one call at a time, got a second`)
    this.#busy = true
    try {
      await start.run(inputs)
      while (((await cycle.run({}))['running']?.[0] ?? 0) > 0);
      return await finish.run({})
    } finally {
      this.#busy = false
    }
  }

  /** Frees the programs and their memory. */
  dispose(): void {
    for (const program of this.#programs) program.dispose()
    this.#programs = []
  }
}
