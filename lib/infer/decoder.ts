// Sequences that are made step by step: states on the device that compiled functions hand on to each other, and that rows take over
// from other rows. What samplers, completion and beam search do, whatever the network.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import {
  assign,
  count,
  expectTensor,
  formatShape,
  type HostArray,
  keptBy,
  read,
  type Shape,
  ShapeError,
  type Tensor,
  Variable,
} from '../graph/index.js'
import { cast, gather, reshape, zeros } from '../ops/index.js'
import { StreamStates, withStreamStates } from '../ops/streams.js'
import type { Compiled, CompileOptions } from '../train/compiled.js'
import type {
  Compiler,
  DecoderOptions,
  DecoderProgram,
  Extents,
  InputTensors,
  StateExtents,
  StateTensors,
  Stepped,
} from './decoder-types.js'

const schema: Schema<DecoderOptions<StateExtents>> = {
  states: is.object,
  precision: is.oneOf('f32', 'tf32', 'bf16'),
}

/**
 * States on the device, for sequences that are made step by step. They belong to this decoder alone, as do those that recurrent layers
 * with `carry` leave when they are called in its functions; all are zero at first. Made by `decoder`.
 */
export class Decoder<S extends StateExtents = StateExtents> {
  readonly #compiler: Compiler
  readonly #precision: NonNullable<CompileOptions['precision']>
  readonly #states: ReadonlyMap<string, Variable<'f32'>>
  readonly #carried = new StreamStates()
  readonly #programs: { dispose(): void }[] = []
  /** Programs over all states, and how many states there were when each was compiled. */
  readonly #moves = new Map<Move, { readonly states: number; readonly program: Promise<Compiled<object>> }>()
  /** Programs are compiled when they are first needed; what is asked for meanwhile waits its turn. */
  #ready: Promise<unknown> = Promise.resolve()

  /** @throws as `decoder` */
  constructor(compiler: Compiler, options: DecoderOptions<S> = {}) {
    expectKind('decoder', 'of', is.withMethods('a session or a model', 'compile'), compiler)
    expectOptions<DecoderOptions<StateExtents>>('decoder', options, schema)
    const { states = {}, precision = 'f32' } = options
    this.#compiler = compiler
    this.#precision = precision
    const all = Object.entries<readonly number[]>(states)
    for (const [name, shape] of all) expectExtents(name, shape)
    this.#states = new Map(all.map(([name, shape]) => [name, stateVariable(`decoder.${name}`, shape)]))
    expectRows([...this.#states.values()])
  }

  /**
   * Compiles a function of inputs and states, `(inputs, states) => ({ outputs, states })`: one step of a decoder, or an encoder that sets
   * the states to start from. Any number of them work on the same states.
   * @throws ShapeError, GraphError from the function, and for states of other names or extents
   * @example
   * const step = await decoder.compile(
   *   ({ token }, { h }) => {
   *     const { output, last } = gru.run(ops.expandDims(embed(token), 0), { start: { h } })
   *     return { outputs: { scores: ops.logSoftmax(out(output)) }, states: last }
   *   },
   *   { token: { dtype: 'i32', shape: [8] } },
   * )
   */
  async compile<const I extends Extents, O extends Readonly<Record<string, Tensor>>>(
    fn: (inputs: InputTensors<I>, states: StateTensors<S>) => Stepped<S, O>,
    extents: I,
  ): Promise<DecoderProgram<I, O>> {
    const program = this.prepare(fn, extents)
    await program.ready
    return program
  }

  /** As `compile`, at once: what is asked of it, and of the decoder behind it, waits until it is compiled. */
  prepare<const I extends Extents, O extends Readonly<Record<string, Tensor>>>(
    fn: (inputs: InputTensors<I>, states: StateTensors<S>) => Stepped<S, O>,
    extents: I,
  ): DecoderProgram<I, O> & { readonly ready: Promise<unknown> } {
    expectKind('decoder[compile]', 'fn', is.callable, fn)
    expectKind('decoder[compile]', 'extents', is.object, extents)
    const names = Object.keys(extents)
    const traced = (...given: readonly Tensor[]): O => {
      const inputs = Object.fromEntries(names.map((name, i) => [name, given[i]!]))
      const before = Object.fromEntries([...this.#states].map(([name, variable]) => [name, read(variable)]))
      const { outputs, states } = withStreamStates(this.#carried, () =>
        fn(inputs as InputTensors<I>, before as StateTensors<S>),
      )
      this.#assign(states)
      expectRows(this.#all())
      return outputs
    }
    const compiled = this.#own(traced, extents)
    compiled.catch(() => undefined)
    return {
      ready: compiled,
      run: (inputs) => {
        const copies = Object.fromEntries(Object.entries<HostArray>(inputs).map(([name, data]) => [name, data.slice()]))
        return this.#inTurn(() => compiled).then((program) => program.run(copies))
      },
    }
  }

  /**
   * Starts anew: from the given states, from zeros where none is given, and in what layers carry.
   * @throws DataError for a state that is not known or of another length
   */
  start(states: { readonly [Name in keyof S]?: Float32Array } = {}): Promise<void> {
    const zero = Object.fromEntries([...this.#states].map(([name, { count }]) => [name, new Float32Array(count)]))
    const given = Object.entries<Float32Array>(states as Readonly<Record<string, Float32Array>>)
    return this.#move('start', { ...zero, ...Object.fromEntries(given.map(([name, data]) => [name, data.slice()])) })
  }

  /**
   * Row i goes on from where row `parents[i]` stands.
   * @throws DataError `ERR_DATA` for a row out of range
   * @example await decoder.select(Int32Array.of(0, 0, 2)) // the second row is given up for another end of the first
   */
  select(parents: Int32Array): Promise<void> {
    return this.#move('select', { parents: parents.slice() })
  }

  /** Remembers where all rows stand. */
  save(): Promise<void> {
    return this.#move('save', {})
  }

  /** Goes back to where they stood at the last `save`; before the first one, to zeros. */
  restore(): Promise<void> {
    return this.#move('restore', {})
  }

  /** Frees its programs and, with the last of them, its states. */
  dispose(): void {
    for (const program of this.#programs.splice(0)) program.dispose()
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  async #own<R extends Readonly<Record<string, Tensor>>>(
    fn: (...inputs: readonly Tensor[]) => R,
    extents: Extents,
  ): Promise<Compiled<R>> {
    const typed = Object.entries(extents).map(([name, extent]) => [
      name,
      Array.isArray(extent) ? { dtype: 'f32', shape: extent as readonly number[] } : extent,
    ])
    const given = Object.fromEntries(typed) as Extents
    const compiled = await this.#compiler.compile(fn, given, { precision: this.#precision })
    this.#programs.push(compiled)
    return compiled
  }

  #inTurn<P>(program: () => Promise<P>): Promise<P> {
    const ready = this.#ready.then(program)
    this.#ready = ready.catch(() => undefined)
    return ready
  }

  #all(): readonly Variable[] {
    return [...this.#states.values(), ...this.#carried.variables]
  }

  #assign(states: Readonly<Record<string, Tensor | undefined>>): void {
    expectKind('decoder[compile]', 'states', is.object, states)
    for (const [name, after] of Object.entries(states)) {
      const variable = this.#states.get(name)
      if (variable === undefined) {
        const known = [...this.#states.keys()].join(', ')
        throw new ShapeError(`decoder: expected the states ${known === '' ? 'to be none' : known}, got ${name}`)
      }
      expectTensor(after, `decoder[${name}]`)
      assign(variable, after)
    }
  }

  async #move(what: Move, inputs: Readonly<Record<string, HostArray>>): Promise<void> {
    const program = await this.#inTurn(() => this.#moveProgram(what))
    await program?.run(inputs)
  }

  /** Over all states; undefined where there is none. */
  #moveProgram(what: Move): Promise<Compiled<object> | undefined> {
    const all = this.#all()
    const [first] = all
    if (first === undefined) return Promise.resolve(undefined)
    const known = this.#moves.get(what)
    // A function that was compiled since may have brought layers that carry states.
    if (known?.states === all.length) return known.program
    const names = [...this.#states.keys()]
    const extents: Record<Move, Extents> = {
      start: Object.fromEntries([...this.#states].map(([name, { shape }]) => [name, shape])),
      select: { parents: { dtype: 'i32', shape: [first.shape[0] ?? 1] } },
      ...{ save: {}, restore: {} },
    }
    const traced = (...given: readonly Tensor[]) => {
      const started = new Map(names.map((name, i) => [this.#states.get(name), given[i]!]))
      for (const variable of all) {
        if (what === 'start') assign(variable, started.get(variable as Variable<'f32'>) ?? zeros(variable.shape))
        else if (what === 'select') assign(variable, rowsOf(read(variable), given[0]!))
        else if (what === 'save') assign(this.#copyOf(variable), read(variable))
        else assign(variable, read(this.#copyOf(variable)))
      }
      return {}
    }
    const program = this.#own(traced, extents[what])
    this.#moves.set(what, { states: all.length, program })
    return program
  }

  #copyOf(variable: Variable): Variable {
    return keptBy(this, variable, () => stateVariable(`${variable.label}_saved`, variable.shape))
  }
}

/** A program over all states. */
type Move = 'start' | 'select' | 'save' | 'restore'

function stateVariable(label: string, shape: Shape): Variable<'f32'> {
  return new Variable<'f32'>({ label, dtype: 'f32', shape, role: 'scratch', init: () => zeros(shape) })
}

/** Rows of a state [N, ...], by their places i32 [N]. */
export function rowsOf(state: Tensor, places: Tensor): Tensor<'f32'> {
  const [rows = 1, ...rest] = state.shape
  const flat = cast(reshape(state, [rows, count(rest)]), 'f32')
  return reshape(gather(flat, cast(places, 'i32')), [...state.shape])
}

function expectExtents(name: string, shape: unknown): void {
  const good = is.numbers.accepts(shape) && (shape as number[]).length >= 1 && (shape as number[]).every(isExtent)
  const kind = is.kind('extents [N, ...] of whole numbers of at least 1', () => good)
  expectKind('decoder[states]', name, kind, shape)
}

const isExtent = (extent: number): boolean => Number.isSafeInteger(extent) && extent >= 1

function expectRows([first, ...others]: readonly Variable[]): void {
  const other = others.find(({ shape }) => shape[0] !== first?.shape[0])
  if (first === undefined || other === undefined) return
  const text = ({ label, shape }: Variable) => `${label} of ${formatShape(shape)}`
  throw new ShapeError(`decoder: expected states of one number of rows, got ${text(first)} and ${text(other)}`)
}

/**
 * States on the device for sequences that are made step by step, over the weights of a session or a loaded model.
 * @throws OstrichError `ERR_OPTION`; ShapeError for states of different numbers of rows
 * @example
 * using decoder = train.decoder(model, { states: { h: [beam, 200] } })
 * const encode = await decoder.compile(({ x }) => ({ outputs: {}, states: encoder.run(x).last }), { x: [20, beam, 64] })
 * const step = await decoder.compile(({ token }, { h }) => next(token, h), { token: { dtype: 'i32', shape: [beam] } })
 * await encode.run({ x })
 * const { scores } = await step.run({ token: Int32Array.of(...) })
 */
export function decoder<const S extends StateExtents = Record<string, never>>(
  of: Compiler,
  options: DecoderOptions<S> = {},
): Decoder<S> {
  return new Decoder(of, options)
}
