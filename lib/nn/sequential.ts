// Layers one after the other. The types of neighbours are checked when compiled, over chains of any practical length.
import { expectKind, is } from '../base/index.js'
import type { Clash } from '../graph/clash.js'
import type { Tensor } from '../graph/index.js'
import type { InputOf } from '../graph/steps.js'
import { layer, type Layer, type Step } from './layer.js'
import type { Output, Result, SameChannels, SameShape } from './types.js'

type Out<L> = L extends { readonly types: { readonly out: infer O extends Output } }
  ? O
  : L extends Step
    ? ReturnType<L>
    : Tensor

/** Input and output of the layers so far; `Nothing` before the first. */
interface Span<I extends Tensor, O extends Output> {
  readonly in: I
  readonly out: O
}

/** The tensor between two layers, as far as it is known. */
type Between<I extends Tensor, O extends Output> = O extends Tensor ? O : Result<I, O>

/** A layer that keeps extents passes its successor's demands on to the input of the chain. */
type JoinIn<I extends Tensor, O extends Output, NextIn extends Tensor> = O extends SameShape
  ? NextIn extends I
    ? NextIn
    : I
  : I

type JoinOut<O extends Output, Next extends Output> = Next extends SameShape
  ? O
  : O extends Tensor
    ? Result<O, Next>
    : O extends SameChannels
      ? Next extends SameChannels
        ? O
        : Next
      : Next

type Join<S, L> =
  S extends Span<infer I, infer O> ? Span<JoinIn<I, O, InputOf<L>>, JoinOut<O, Out<L>>> : Span<InputOf<L>, Out<L>>

/** One more than a tuple's length is the position of the layer that follows it, counted from 1. */
type Position<Before extends readonly unknown[]> = [...Before, unknown]['length'] & number

type Sentence<C, Before extends readonly unknown[]> = C extends [infer Want extends string, infer Got extends string]
  ? `layer ${Position<Before>} expects ${Want}, but layer ${Before['length'] & number} gives ${Got}`
  : never

type Fault<S, L, Before extends readonly unknown[]> =
  S extends Span<infer I, infer O> ? Sentence<Clash<InputOf<L>, Between<I, O>>, Before> : never

/** The layers themselves, with a sentence in the place of each that does not fit the one before it. */
type Checked<Ls extends readonly Step[], S = undefined, Before extends readonly unknown[] = []> = Ls extends readonly [
  infer L extends Step,
  ...infer Rest extends readonly Step[],
]
  ? Checked<Rest, Join<S, L>, [...Before, [Fault<S, L, Before>] extends [never] ? L : Fault<S, L, Before>]>
  : Before

/** What argument `I` must be besides itself; nothing while the compiler is still finding out how many there are. */
type Verdict<Ls extends readonly Step[], I> = number extends Ls['length']
  ? unknown
  : I extends keyof Checked<Ls>
    ? Checked<Ls>[I]
    : unknown

type Whole<Ls extends readonly Step[], S = undefined> = Ls extends readonly [
  infer L extends Step,
  ...infer Rest extends readonly Step[],
]
  ? Whole<Rest, Join<S, L>>
  : S extends Span<infer I, infer O>
    ? Layer<I, O>
    : Layer<Tensor, Tensor>

/**
 * Applies `layers` in order. It leaves no trace in paths unless it is `named`. A layer that does not fit the one before
 * it does not compile: "layer 2 expects features 256, but layer 1 gives 512".
 *
 * @throws OstrichError `ERR_OPTION` for what is no function
 * @example
 * const net = nn.sequential(nn.linear(784, 512), nn.relu(), nn.linear(512, 10))
 */
export function sequential<Ls extends readonly Step[]>(
  ...layers: { [I in keyof Ls]: Ls[I] & Verdict<Ls, I> }
): Whole<Ls> {
  for (const [i, step] of layers.entries()) expectKind('nn.sequential', `layer ${i + 1}`, is.callable, step)
  const steps = layers as unknown as readonly ((x: Tensor) => Tensor)[]
  return layer<Tensor, Tensor>({
    kind: '',
    children: layers,
    apply: (x) => steps.reduce((value, step) => step(value), x),
  }) as unknown as Whole<Ls>
}
