// Function over tensors -> program on the device, over the session's shared state. Variables that a program is the first
// to read are initialised before it is handed out.
import { compileGraph, type CompiledGraph, type CompilePrecision } from '../compile/index.js'
import {
  assign,
  at,
  type Graph,
  GraphError,
  type Tensor,
  trace,
  type TraceMode,
  type Variable,
} from '../graph/index.js'
import { seed as seedVariable, step as stepVariable } from '../ops/index.js'
import type { Device, Program } from '../runtime/index.js'
import type { StateEntry, StateStore } from './state.js'

/** A program and what it binds. The graph that it was made from is not kept: it is many times larger, and there may be dozens of programs. */
export interface Built extends Pick<CompiledGraph, 'feeds' | 'states' | 'fetches'> {
  readonly program: Program
  /** What a run assigns. */
  readonly assigned: ReadonlySet<Variable>
}

export interface BuildOptions {
  readonly name: string
  readonly mode: TraceMode
  readonly precision: CompilePrecision
  /** Whether it may bring parameters, as what trains or loads a network does: others read those that are here. Default: false. */
  readonly brings?: boolean
}

/** Called with a program's name, a pass, and the printed graph after it; the last pass, `plan`, is the backend's own account. */
export type Explain = (program: string, pass: string, printed: string) => void

type Body = () => Readonly<Record<string, Tensor>>

/** Compiles for one device and one state. */
export class Programs {
  readonly #device: Device
  readonly #store: StateStore
  readonly #seed: Int32Array
  readonly #explain: Explain | undefined
  readonly #built = new Set<Program>()
  #refresh: { readonly count: number; readonly program: Program } | undefined
  /** Runs of compiled functions that drew: by it each draws anew. A checkpoint holds it. */
  draws = 0
  /** Initialisations run one after the other: two programs may meet the same new variable. */
  #turn: Promise<void> = Promise.resolve()

  constructor(device: Device, store: StateStore, seed: number, explain?: Explain) {
    this.#device = device
    this.#store = store
    this.#seed = seedWords(seed)
    this.#explain = explain
  }

  /**
   * Traces, compiles and initialises.
   * @throws ShapeError, GraphError from the function; what the backend says of the program
   */
  async build(options: BuildOptions, body: Body): Promise<Built> {
    const built = await this.#compile(options, body)
    const turn = this.#turn.then(() => this.#initialise())
    this.#turn = turn.catch(() => undefined)
    await turn
    return built
  }

  async #compile(options: BuildOptions, body: Body): Promise<Built> {
    const { name, mode, precision, brings = false } = options
    const traced = trace({ name, mode, names: this.#store.names }, body)
    if (!brings) this.#expectKnown(traced)
    const explain = this.#explain
    const { text, feeds, states, fetches, stages } = compileGraph(traced, { precision, explain: explain !== undefined })
    for (const { name: pass, text: printed } of stages) explain?.(name, pass, printed)
    const buffers = this.#store.bind(states)
    const program = await this.#device.compile(text, buffers).catch((error: unknown) => {
      this.#store.release(states)
      throw error
    })
    explain?.(name, 'plan', program.stats().explain)
    this.#built.add(program)
    return { program, feeds, states, fetches, assigned: assignedOf(traced) }
  }

  /** A network of another making has the same layers, and weights that nobody has trained. */
  #expectKnown({ name, states, assigns }: Graph): void {
    const assigned = new Set(assigns.map(({ state }) => state))
    const stranger = states.find(
      ({ variable, tensor }) =>
        variable.role === 'parameter' && !assigned.has(tensor) && this.#store.get(variable) === undefined,
    )
    if (stranger === undefined) return
    throw new GraphError(
      `${name}[${stranger.name}]: expected parameters of the network that was trained or loaded here, or such as the function assigns, ` +
        'got one that would hold its first value: call the same network object, made once',
    )
  }

  /** Frees one program, and the scratch memory that no other reads; runs under way end first. */
  free({ program, states }: Built): void {
    if (!this.#built.delete(program)) return
    program.dispose()
    this.#store.release(states)
  }

  /** Runs `variable.init()` of every new variable in one program: its draws depend on the seed and the variable's path. */
  async #initialise(): Promise<void> {
    const fresh = this.#store.fresh()
    if (fresh.length === 0) return
    const given = [seedVariable, stepVariable]
    const own = fresh.filter((entry) => entry.shadowOf === undefined && !given.some((one) => one === entry.variable))
    const init = own.length === 0 ? undefined : await this.#assigning('init', own)
    // Initialisers draw at the seed and the step, so both come first.
    for (const entry of this.#store.fresh()) {
      if (entry.variable === seedVariable) await entry.buffer.write(this.#seed)
      if (entry.variable === stepVariable) await entry.buffer.write(Int32Array.of(0))
    }
    await init?.program.run({}, {})
    if (init !== undefined) this.free(init)
    this.#store.settle(this.#store.fresh())
    await this.refreshShadows()
  }

  /** Makes every copy of a parameter equal to it: needed after parameters were written by the host or a program without the copy. */
  async refreshShadows(): Promise<void> {
    const shadows = this.#store.shadows()
    if (shadows.length === 0) return
    if (this.#refresh?.count !== shadows.length) {
      this.#refresh = { count: shadows.length, program: (await this.#assigning('shadows', shadows)).program }
    }
    await this.#refresh.program.run({}, {})
  }

  /** A program that sets each variable to its initial value. */
  async #assigning(name: string, entries: readonly StateEntry[]): Promise<Built> {
    return this.#compile({ name, mode: 'eval', precision: 'f32' }, () => {
      for (const { variable, name: path } of entries) {
        const parent = path.slice(0, Math.max(0, path.length - variable.label.length - 1))
        // The path of the variable, so that its draws are its own; reading it below its parent gives it its known name.
        at({ path: parent, site: undefined }, () => this.#store.names.variable(variable, parent))
        at({ path, site: undefined }, () => {
          assign(variable, variable.init())
        })
      }
      return {}
    })
  }

  dispose(): void {
    for (const program of this.#built) program.dispose()
  }
}

function assignedOf({ states, assigns }: Graph): Set<Variable> {
  const assigned = new Set(assigns.map(({ state }) => state))
  return new Set(states.filter(({ tensor }) => assigned.has(tensor)).map(({ variable }) => variable))
}

/** A seed below 2^53 as the two words that key the generator, lower word first. */
function seedWords(seed: number): Int32Array {
  return Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0)
}
