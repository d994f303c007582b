// What all recurrent layers have in common, whatever runs their steps: first states, lengths and masks, the states after them,
// and what is carried from run to run.
import { expectKind, expectOptions, is, OstrichError, type Schema } from '../base/index.js'
import {
  type DType,
  formatShape,
  type Shape,
  ShapeError,
  type Tensor,
  tracePath,
  type Variable,
} from '../graph/index.js'
import { reshape, sequenceMask, type SequenceOptions, slice, zeros } from '../ops/index.js'
import { aTensor } from '../ops/operand.js'
import { CarriedState } from './carried.js'
import { typeText } from './check.js'
import type { Layer, LayerInfo, Step } from './layer.js'
import { runnable } from './runnable.js'
import type { Accepts, Output, Result } from './types.js'

/** A tensor for each state of a recurrent layer, by its name. */
export type States<S extends string = string> = Readonly<Record<S, Tensor<'f32'>>>

/** What a call of a recurrent layer may say besides its sequence. */
export interface RecurrentCall<S extends string = string> {
  /** Every state before the first step, f32 [N, ...]. Default: zeros, or where the last run ended (`carry`). */
  readonly start?: States<S>
  /** How many steps each row has, from the first on: i32 [N], from 0 to T. Default: T. */
  readonly lengths?: Tensor<'i32'>
  /** Which steps each row has, in place of lengths: u8 [T, N]. Default: all. */
  readonly mask?: Tensor<'u8'>
}

/** All that a recurrent layer gives. Where a row has no step, its states stay as they are. */
export interface RecurrentRun<S extends string = string, Y extends Tensor = Tensor<'f32'>> {
  /** The first of the states after each step [T, N, ...]: what the layer gives as a plain function. */
  readonly output: Y
  /** Each state after each step, [T, N, ...]. */
  readonly states: States<S>
  /** Each state after the last step that a row has (in reverse: after its first one), [N, ...]. */
  readonly last: States<S>
}

/** A recurrent layer: as a function it gives its output alone. */
export interface Recurrent<In extends Tensor, Out extends Output, S extends string> extends Layer<In, Out> {
  /** Whether it runs from the last step to the first. */
  readonly reverse: boolean
  /**
   * The layer over x, perhaps from given states, over as many steps as each row has. Past its length a row's states, and so its outputs,
   * stay what they were; in reverse, a row of length L starts at its step L - 1. Weights and path are the layer's own.
   * @throws OstrichError `ERR_OPTION`; ShapeError for a start, lengths or a mask of other extents, and a start with `carry`. Lengths
   * outside 0 to T are the run-time error ERR_DATA.
   * @example const { output, last } = lstm.run(x, { start: { h, c }, lengths })
   */
  readonly run: <X extends Tensor>(x: X & Accepts<In, X>, call?: RecurrentCall<S>) => RecurrentRun<S, Result<X, Out>>
}

/** A recurrent layer of any types. */
export interface AnyRecurrent extends LayerInfo {
  (x: never): Tensor
  readonly types: { readonly in: Tensor; readonly out: Output }
  readonly reverse: boolean
  /** As `run` of `Recurrent`. */
  readonly run: (x: never, call?: never) => RecurrentRun
}

/** Options of the loop over time. */
export interface RecurrenceOptions {
  /** From the last step to the first. Default: false. */
  readonly reverse?: boolean
  /**
   * Starts each run from the state that the last one left, for each number of streams N, in training and in evaluation apart.
   * `withFreshStreams` says which streams start anew. Default: false, each run starts from zeros.
   */
  readonly carry?: boolean
  /** In paths; default: `lstm1`, `lstm2`, ... */
  readonly name?: string
}

/** The kinds of the options of the loop over time. */
export const recurrenceOptions: Schema<RecurrenceOptions> = { reverse: is.flag, carry: is.flag, name: is.text }

/** The kinds of what a call may say besides its sequence. */
export const callOptions: Schema<RecurrentCall> = { start: is.object, lengths: aTensor, mask: aTensor }

/** Something over all steps of a sequence: one op, or a cell step by step. */
export interface Recurrence<S extends string> {
  readonly kind: string
  readonly parameters: readonly Variable[]
  readonly children?: readonly Step[]
  /** Extents of each state, [N, ...], that of the output first. Refuses an x that does not fit; `where` is the layer in messages. */
  readonly states: (x: Tensor, where: string) => Readonly<Record<S, Shape>>
  /** Each state after each step, [T, N, ...]. */
  readonly scan: (x: Tensor, start: States<S>, order: SequenceOptions, where: string) => States<S>
}

/** Makes a layer of a recurrence. */
export function recurrentLayer<In extends Tensor, Out extends Output, S extends string>(
  { kind, parameters, children = [], states, scan }: Recurrence<S>,
  { reverse = false, carry = false, name }: RecurrenceOptions,
): Recurrent<In, Out, S> {
  if (carry && reverse) {
    const expected = 'expected no carry with reverse, whose last step is the first of a sequence'
    throw new OstrichError('ERR_OPTION', `${kind}: ${expected}, got both`)
  }
  const carried = new Map<string, CarriedState>()
  const carriedState = (label: string): CarriedState => {
    const known = carried.get(label) ?? new CarriedState(label)
    carried.set(label, known)
    return known
  }
  const own = runnable<RecurrentCall<S>, RecurrentRun<S>>({
    kind,
    name,
    parameters,
    children,
    compute: (x, call) => {
      const where = `${kind}[${tracePath()}]`
      const shapes = states(x, where)
      const names = Object.keys(shapes) as S[]
      const byName = (make: (name: S) => Tensor<'f32'>) => fromNames(names, make)
      const { start, ...steps } = call ?? {}
      if (start !== undefined) expectStart(start, shapes, carry, where)
      const mask = maskOf(x, steps, where)
      const first = byName((label) => {
        if (start !== undefined) return start[label]
        return carry ? carriedState(label).start(shapes[label], where) : zeros(shapes[label])
      })
      const after = scan(x, first, { reverse, ...(mask && { mask }) }, where)
      const output = after[names[0]!]
      if (call === undefined && !carry) return output
      const last = byName((label) => stateAt(after[label], reverse ? 0 : (x.shape[0] ?? 1) - 1))
      if (carry) for (const label of names) carriedState(label).keep(last[label])
      return call === undefined ? output : { output, states: after, last }
    },
    expectCall: (call) => {
      expectOptions<RecurrentCall<S>>(`nn.${kind}[run]`, call, callOptions)
    },
  })
  return Object.defineProperty(own, 'reverse', { value: reverse, enumerable: true }) as unknown as Recurrent<In, Out, S>
}

/** A record of these names. */
export function fromNames<S extends string>(names: readonly S[], make: (name: S) => Tensor<'f32'>): States<S> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as States<S>
}

/** Step t of [T, ...]. */
export function stateAt<D extends DType>(x: Tensor<D>, t: number): Tensor<D> {
  const rest = x.shape.slice(1)
  return reshape(slice(x, [t, ...rest.map(() => 0)], [1, ...rest]), rest)
}

function expectStart(start: States, shapes: Readonly<Record<string, Shape>>, carry: boolean, where: string): void {
  if (carry) {
    throw new ShapeError(`${where}: expected no start with carry, which starts where the last run ended, got one`)
  }
  expectStates(start, shapes, 'start', where)
}

/** Refuses states of other names, and what is no f32 of these extents; `what` gave them. */
export function expectStates(
  states: States,
  shapes: Readonly<Record<string, Shape>>,
  what: string,
  where: string,
): void {
  expectKind(`${where}: ${what}`, 'states', is.object, states)
  const names = Object.keys(shapes)
  const given = Object.keys(states)
  if (given.length !== names.length || !names.every((name) => given.includes(name))) {
    const got = given.length === 0 ? 'none' : given.join(', ')
    throw new ShapeError(`${where}: expected the ${what} to have the states ${names.join(', ')}, got ${got}`)
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const one = states[name]
    const got = one !== undefined && aTensor.accepts(one) ? typeText(one) : is.shown(one)
    const wanted = `f32${formatShape(shape)}`
    if (got !== wanted) throw new ShapeError(`${where}: expected the ${what}'s ${name} to be ${wanted}, got ${got}`)
  }
}

/** Which steps there are, u8 [T, N]; undefined for all. */
export function maskOf(
  { shape: [steps = 1, streams = 1] }: Tensor,
  { lengths, mask }: Pick<RecurrentCall, 'lengths' | 'mask'>,
  where: string,
): Tensor<'u8'> | undefined {
  if (lengths !== undefined && mask !== undefined) {
    throw new ShapeError(`${where}: expected lengths or a mask, got both`)
  }
  if (mask !== undefined) expectType(mask, `u8[${steps}, ${streams}]`, 'a mask', where)
  if (lengths === undefined) return mask
  expectType(lengths, `i32[${streams}]`, 'lengths', where)
  return sequenceMask(lengths, steps)
}

function expectType(x: Tensor, wanted: string, what: string, where: string): void {
  if (typeText(x) !== wanted) throw new ShapeError(`${where}: expected ${what} of ${wanted}, got ${typeText(x)}`)
}
