// A layer is a function over symbolic tensors that has a kind, perhaps a name, and parameters. Calling it twice shares them.
// Anything else that is callable and reads Variables (a closure, a method) works in its place, without paths of its own.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { callSite, scope, ShapeError, type Tensor, Variable } from '../graph/index.js'
import type { Accepts, Output, Result, SameChannels, SameShape } from './types.js'

/** What a layer tells about itself. */
export interface LayerInfo {
  /** Word for its path (`conv` gives `conv1`, `conv2`); empty for a layer that leaves no trace in paths. */
  readonly kind: string
  /** Its own name in paths; empty when it has none. */
  readonly name: string
  /** Its own parameters and those of its children, each once. */
  readonly parameters: readonly Variable<'f32'>[]
  readonly children: readonly Step[]
}

/** A function from tensor to tensor: what a chain is made of. */
export type Step = (x: never) => Tensor

/**
 * A layer from `In` to `Out`; what is known of `x` and does not fit `In` is refused when compiled, the rest when traced.
 *
 * @example
 * const fc: Layer<Features<784>, Features<10>> = nn.linear(784, 10)
 */
export interface Layer<In extends Tensor, Out extends Output> extends LayerInfo {
  <X extends Tensor>(x: X & Accepts<In, X>): Result<X, Out>
  /** Never set: it carries the types through a chain. */
  readonly types: { readonly in: In; readonly out: Out }
}

/** What `layer` makes a layer of. */
export interface LayerOptions<In extends Tensor, Returned extends Tensor> {
  readonly kind: string
  readonly name?: string | undefined
  /** Variables that `apply` reads itself. */
  readonly parameters?: readonly Variable[]
  /** Layers that `apply` calls. */
  readonly children?: readonly Step[]
  /** The layer itself: runs whenever it is traced. */
  readonly apply: (x: In) => Returned
}

const trained = is.kind('a variable', (value) => value instanceof Variable && value.dtype === 'f32')
const schema: Schema<LayerOptions<Tensor, Tensor>> = {
  kind: is.needed(is.text),
  name: is.text,
  parameters: is.listOf(trained, 'f32 variables'),
  children: is.listOf(is.callable, 'layers'),
  apply: is.needed(is.callable),
}

/** True for functions made by `layer`. */
export function isLayer(step: Step): step is Step & LayerInfo {
  return 'kind' in step && 'parameters' in step && 'children' in step
}

/**
 * Makes a layer. Its function runs in a scope of its own, so that its variables have paths such as `mlp/gain1/g`.
 * `layer<In, SameShape>` makes one that gives back the extents of whatever it gets.
 *
 * @example
 * const g = nn.parameter('g', [64], nn.init.fill(1))
 * const gain = nn.layer({ kind: 'gain', parameters: [g], apply: (x: Features<64>): Features<64> => mul(x, read(g)) })
 */
export function layer<In extends Tensor, Out extends Tensor>(options: LayerOptions<In, Out>): Layer<In, Out>
export function layer<In extends Tensor, Out extends SameShape | SameChannels>(
  options: LayerOptions<In, Tensor>,
): Layer<In, Out>
export function layer<In extends Tensor>(options: LayerOptions<In, Tensor>): Layer<In, Tensor> {
  expectOptions<LayerOptions<In, Tensor>>('nn.layer', options, schema)
  const { kind, name, apply, parameters = [], children = [] } = options
  const site = callSite()
  const call = (x: In): Tensor =>
    placed(site, () => (kind === '' && name === undefined ? apply(x) : scope(call, kind, name, () => apply(x))))
  // Asked for anew each time: a layer may learn what its input is, and so its weights, when it is first traced.
  const all = () => [
    ...new Set([...parameters, ...children.flatMap((child) => (isLayer(child) ? child.parameters : []))]),
  ]
  // A function's own `name` is read-only: only defineProperties replaces it.
  const describe = (value: unknown) => ({ value, enumerable: true })
  Object.defineProperties(call, {
    kind: describe(kind),
    name: describe(name ?? ''),
    parameters: { get: all, enumerable: true },
    children: describe(children),
  })
  return call as unknown as Layer<In, Tensor>
}

/** Whoever traces a network has no line of the user's on its stack: a refusal names the one where the layer was made. */
function placed(site: string | undefined, apply: () => Tensor): Tensor {
  try {
    return apply()
  } catch (error) {
    if (!(error instanceof ShapeError) || site === undefined || error.message.includes(' (at ')) throw error
    throw new ShapeError(`${error.message} (at ${site})`)
  }
}

/** A layer around another, which takes and gives what that one does; what else it has, such as `run`, is its own. */
export type Around<F extends Step> = F extends {
  readonly types: { readonly in: infer In extends Tensor; readonly out: infer Out extends Output }
}
  ? Layer<In, Out>
  : F & LayerInfo

/**
 * Gives a network (or any function of a tensor) a name in paths: `named('lenet', nn.sequential(...))` has parameters such
 * as `lenet/conv1/w`. It is called alone: layers with more to them (`run`, `attend`) have an option `name`.
 */
export function named<F extends Step>(name: string, net: F): Around<F> {
  expectKind('nn.named', 'name', is.text, name)
  expectKind('nn.named', 'net', is.callable, net)
  const step = net as unknown as (x: Tensor) => Tensor
  return layer<Tensor, Tensor>({ kind: '', name, children: [net], apply: step }) as unknown as Around<F>
}
