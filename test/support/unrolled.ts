// Recurrent layers composed of single ops, one set for each time step: slow, obvious, and the oracle of the kernels.
// Their recurrent part only: what depends on the input alone, x W + b, comes in as `gates`.
import { type Shape, type Tensor } from '../../lib/graph/index.js'
import {
  add,
  concat,
  matmul,
  mul,
  relu,
  reshape,
  type SequenceOptions,
  sigmoid,
  slice,
  sub,
  tanh,
  where,
} from '../../lib/ops/index.js'

const plus = add<'f32', Shape, Shape>
const times = mul<'f32', Shape, Shape>
const product = (h: Tensor, w: Tensor) => matmul<'f32', Shape, Shape>(h as Tensor<'f32'>, w as Tensor<'f32'>)

/** Row t of [T, N, ...]. */
function step<D extends 'f32' | 'u8'>(x: Tensor<D>, t: number): Tensor<D> {
  const rest = x.shape.slice(1)
  return reshape(slice(x, [t, ...rest.map(() => 0)], [1, ...rest]), rest)
}

/** Columns k U to (k + 1) U of [N, K U]. */
function part(x: Tensor<'f32'>, k: number, units: number): Tensor<'f32'> {
  return slice(x, [0, k * units], [x.shape[0] ?? 1, units])
}

/** Runs `advance` over the steps in order and keeps every state: each of [N, H] becomes [T, N, H]. */
function unrolled(
  gates: Tensor,
  first: readonly Tensor[],
  { reverse = false, mask }: SequenceOptions,
  advance: (gates: Tensor<'f32'>, state: readonly Tensor<'f32'>[]) => readonly Tensor<'f32'>[],
): Tensor<'f32'>[] {
  const [steps = 1, streams = 1] = gates.shape
  let state = first as readonly Tensor<'f32'>[]
  const kept: (readonly Tensor<'f32'>[])[] = []
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i
    const before = state
    state = advance(step(gates as Tensor<'f32'>, t), before)
    if (mask !== undefined) {
      const live = reshape(step(mask, t), [streams, 1])
      state = state.map((after, k) => where<'f32'>(live, after, before[k]!))
    }
    kept[t] = state
  }
  return first.map((_, k) =>
    concat(
      kept.map((states) => reshape(states[k]!, [1, ...states[k]!.shape])),
      0,
    ),
  )
}

/** As `lstm`: gates [T, N, 4H], w [H, 4H], h0 and c0 [N, H] -> h, c [T, N, H]. */
export function unrolledLstm(
  gates: Tensor,
  w: Tensor,
  { h: h0, c: c0 }: { readonly h: Tensor; readonly c: Tensor },
  options: SequenceOptions = {},
): { h: Tensor<'f32'>; c: Tensor<'f32'> } {
  const units = w.shape[0] ?? 1
  const [h, c] = unrolled(gates, [h0, c0], options, (own, [before, cell]) => {
    const z = plus(own, product(before!, w))
    const [i, f, o] = [0, 1, 3].map((k) => sigmoid(part(z, k, units)))
    const next = plus(times(f!, cell!), times(i!, tanh(part(z, 2, units))))
    return [times(o!, tanh(next)), next]
  })
  return { h: h!, c: c! }
}

/** As `rnn`: gates [T, N, H], w [H, H], h0 [N, H] -> h [T, N, H]. */
export function unrolledRnn(
  gates: Tensor,
  w: Tensor,
  h0: Tensor,
  { activation = 'tanh', ...options }: SequenceOptions & { readonly activation?: 'tanh' | 'relu' } = {},
): Tensor<'f32'> {
  const apply = activation === 'tanh' ? tanh : relu
  const [h] = unrolled(gates, [h0], options, (own, [before]) => [apply(plus(own, product(before!, w)))])
  return h!
}

/** As `gru`: gates [T, N, 3H], w [H, 3H], b [3H], h0 [N, H] -> h [T, N, H]. */
export function unrolledGru(
  gates: Tensor,
  w: Tensor,
  b: Tensor,
  h0: Tensor,
  options: SequenceOptions = {},
): Tensor<'f32'> {
  const units = w.shape[0] ?? 1
  const [h] = unrolled(gates, [h0], options, (own, [before]) => {
    const inner = plus(product(before!, w), b as Tensor<'f32'>)
    const [r, z] = [0, 1].map((k) => sigmoid(plus(part(own, k, units), part(inner, k, units))))
    const n = tanh(plus(part(own, 2, units), times(r!, part(inner, 2, units))))
    return [plus(n, times(z!, sub<'f32', Shape, Shape>(before!, n)))]
  })
  return h!
}
