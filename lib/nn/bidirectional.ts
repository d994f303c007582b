// Two recurrent layers over the same sequence, from either end.
import { expectKind, expectOptions, is } from '../base/index.js'
import { OstrichError, sameShape, type Shape, ShapeError, type Tensor, tracePath } from '../graph/index.js'
import { add, concat } from '../ops/index.js'
import { aTensor } from '../ops/operand.js'
import { typeText } from './check.js'
import type { Layer } from './layer.js'
import { type AnyRecurrent, type RecurrentCall, type RecurrentRun, type States } from './recurrence.js'
import { runnable } from './runnable.js'
import type { Accepts, Features } from './types.js'

/** Options of `bidirectional`. */
export interface BidirectionalOptions {
  /** What becomes of the two outputs: they are joined along the last axis, or added. Default: `concat`. */
  readonly join?: 'concat' | 'add'
  /** In paths; default: `bidirectional1`, `bidirectional2`, ... */
  readonly name?: string
}

/** What a call of a bidirectional layer may say besides its sequence. */
export interface BidirectionalCall<F extends AnyRecurrent, B extends AnyRecurrent> extends Pick<
  RecurrentCall,
  'lengths' | 'mask'
> {
  /** Every state of both layers before the first step. Default: zeros. */
  readonly start?: { readonly forward: ReturnType<F['run']>['last']; readonly backward: ReturnType<B['run']>['last'] }
}

/** All that a bidirectional layer gives. */
export interface BidirectionalRun<F extends AnyRecurrent, B extends AnyRecurrent> {
  /** Both outputs, joined: what the layer gives as a plain function. */
  readonly output: Tensor<'f32'>
  /** All that the first layer gives: its last states have read a row to its end. */
  readonly forward: ReturnType<F['run']>
  /** All that the second layer gives: its last states have read a row back to its first step. */
  readonly backward: ReturnType<B['run']>
}

/** A bidirectional layer: as a function it gives its output alone. */
export interface Bidirectional<F extends AnyRecurrent, B extends AnyRecurrent> extends Layer<
  F['types']['in'],
  Features
> {
  /**
   * The layer over x, perhaps from given states, over as many steps as each row has.
   * @throws as `run` of its layers.
   * @example const { output } = tagger.run(x, { lengths })
   */
  readonly run: <X extends Tensor>(
    x: X & Accepts<F['types']['in'], X>,
    call?: BidirectionalCall<F, B>,
  ) => BidirectionalRun<F, B>
}

interface Call extends Pick<RecurrentCall, 'lengths' | 'mask'> {
  readonly start?: { readonly forward: States; readonly backward: States }
}

interface BothRuns {
  readonly output: Tensor<'f32'>
  readonly forward: RecurrentRun
  readonly backward: RecurrentRun
}

interface Direction {
  (x: Tensor): Tensor<'f32'>
  run(x: Tensor, call: RecurrentCall): RecurrentRun
}

/**
 * Two recurrent layers over one sequence, the second in reverse: x f32 [T, N, D] -> [T, N, H + H'], the outputs of the first, then those
 * of the second; or their sum. At each step, the output knows all of the sequence.
 * @throws OstrichError `ERR_OPTION` for what is no recurrent layer, for a first one in reverse, and a second one that is not; ShapeError
 * when traced, for outputs to add that differ in shape.
 * @see Schuster & Paliwal 1997, "Bidirectional recurrent neural networks"; Graves & Schmidhuber 2005, "Framewise phoneme classification
 * with bidirectional LSTM".
 * @example nn.sequential(nn.bidirectional(nn.lstm({ units: 100 }), nn.lstm({ units: 100, reverse: true })), nn.linear(200, 12))
 */
export function bidirectional<F extends AnyRecurrent, B extends AnyRecurrent>(
  forward: F,
  backward: B,
  options: BidirectionalOptions = {},
): Bidirectional<F, B> {
  expectDirection('forward', forward, false)
  expectDirection('backward', backward, true)
  expectOptions<BidirectionalOptions>('nn.bidirectional', options, { join: is.oneOf('concat', 'add'), name: is.text })
  const { join = 'concat', name } = options
  const [ahead, back] = [forward, backward] as unknown as [Direction, Direction]
  const own = runnable<Call, BothRuns>({
    kind: 'bidirectional',
    name,
    children: [forward, backward],
    compute: (x, call) => {
      if (call === undefined) return joined(ahead(x), back(x), join)
      const { start, ...steps } = call
      const one = ahead.run(x, { ...steps, ...(start && { start: start.forward }) })
      const other = back.run(x, { ...steps, ...(start && { start: start.backward }) })
      return { output: joined(one.output, other.output, join), forward: one, backward: other }
    },
    expectCall: (call) => {
      expectOptions('nn.bidirectional[run]', call, { start: is.object, lengths: aTensor, mask: aTensor })
      if (call.start === undefined) return
      const kinds = { forward: is.needed(is.object), backward: is.needed(is.object) }
      expectOptions('nn.bidirectional[run.start]', call.start, kinds)
    },
  })
  return own as unknown as Bidirectional<F, B>
}

function expectDirection(which: 'forward' | 'backward', one: AnyRecurrent, reverse: boolean): void {
  const known = is.kind('a recurrent layer', (value) => typeof value === 'function' && 'run' in value)
  expectKind('nn.bidirectional', which, known, one)
  if (one.reverse === reverse) return
  const [expected, got] = reverse ? ['reverse: true', 'one without'] : ['no reverse', 'one with it']
  throw new OstrichError('ERR_OPTION', `nn.bidirectional[${which}]: expected a layer with ${expected}, got ${got}`)
}

function joined(a: Tensor<'f32'>, b: Tensor<'f32'>, join: 'concat' | 'add'): Tensor<'f32'> {
  if (join === 'concat') return concat([a, b], -1)
  if (sameShape(a.shape, b.shape)) return add<'f32', Shape, Shape>(a, b)
  const got = `${typeText(a)} and ${typeText(b)}`
  throw new ShapeError(`bidirectional[${tracePath()}]: expected two outputs of the same extents to add, got ${got}`)
}
