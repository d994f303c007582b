// Random graphs over all ops, for comparing two ways to run one program. Extents are small and values stay near 1, so
// that roundings do not grow; states are read, looked into, and assigned values, other states and views of them.
import { grad } from '../../lib/autodiff/index.js'
import {
  assign,
  type DType,
  feed,
  type Graph,
  isFloat,
  keptBy,
  read,
  sameShape,
  type Shape,
  type Tensor,
  trace,
  Variable,
} from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { generator } from '../support/random.js'
import { rules, wordStep } from './rules.js'

/** What rules draw from: the tensors so far, and new feeds and states. */
export class Draw {
  readonly tensors: Tensor[] = []
  readonly variables: Variable[] = []
  readonly #random: () => number
  #feeds = 0

  constructor(
    seed: number,
    /** Element type of the feeds. */
    readonly float: 'f32' | 'bf16',
  ) {
    this.#random = generator(seed)
  }

  below(n: number): number {
    return Math.floor(this.#random() * n)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** A tensor that fits; late ones more often, so that chains grow long. */
  pick(fits: (tensor: Tensor) => boolean): Tensor | undefined {
    const fitting = this.tensors.filter(fits)
    const recent = fitting.slice(-4)
    return this.chance(0.5) ? recent[this.below(recent.length)] : fitting[this.below(fitting.length)]
  }

  /** A float of this shape: one that is there, or a new state or feed. */
  float32(shape: Shape): Tensor<'f32'> {
    const known = this.chance(0.3) ? this.pick((t) => t.dtype === 'f32' && sameShape(t.shape, shape)) : undefined
    return ops.cast(known ?? this.source(shape), 'f32')
  }

  /** The same of the type of another tensor. */
  like(dtype: DType, shape: Shape): Tensor<'f32'> {
    const value = this.float32(shape)
    return (dtype === 'bf16' ? ops.cast(value, 'bf16') : value) as Tensor<'f32'>
  }

  /** A new state, or a new feed. */
  source(shape: Shape): Tensor {
    const tensor = this.chance(0.6) ? this.state(shape) : this.feed(this.float, shape)
    this.tensors.push(tensor)
    return tensor
  }

  state(shape: Shape): Tensor {
    const label = `s${this.variables.length.toString()}`
    const init = () => ops.zeros(shape)
    const role = this.of('parameter', 'statistic')
    const variable = keptBy(this, label, () => new Variable({ label, dtype: 'f32', shape, role, init }))
    this.variables.push(variable)
    return read(variable)
  }

  feed(dtype: DType, shape: Shape): Tensor {
    return feed(`x${(this.#feeds++).toString()}`, dtype, shape)
  }

  /** Whole numbers 0 .. limit - 1; the limit stands in the feed's name, for whoever fills it. */
  indices(shape: Shape, limit: number): Tensor<'i32'> {
    return feed(`x${(this.#feeds++).toString()}below${limit.toString()}`, 'i32', shape)
  }
}

/** The rows of a state with some of them replaced, by what is made of those that were there, or of others. */
function someRows(draw: Draw, variable: Variable): Tensor | undefined {
  const [rows = 1, width = 1] = variable.shape
  if (variable.shape.length !== 2) return undefined
  const index = draw.indices([draw.of(1, 5)], rows)
  const before = ops.gather(
    read(variable as Variable<'f32', [number, number]>),
    draw.of(index, draw.indices(index.shape, rows)),
  )
  const sums = ops.coalesce(index, draw.float32([...index.shape, width]), rows)
  return ops.setRows(read(variable), index, ops.mul(ops.add(before, sums), 0.3))
}

/** Each state becomes something of its shape, as often as not something that reads states. */
function assignAll(draw: Draw): void {
  for (const variable of draw.variables) {
    if (draw.chance(0.3)) continue
    const fits = (t: Tensor) => t.dtype === 'f32' && t.shape.length > 0 && sameShape(t.shape, variable.shape)
    const views = () => {
      const other = draw.pick((t) => t.dtype === 'f32' && sameShape(t.shape, variable.shape))
      return other && ops.reshape(ops.reshape(other, [variable.count]), variable.shape)
    }
    const value = draw.of(
      () => draw.pick(fits),
      () => read(draw.of(...draw.variables.filter((v) => sameShape(v.shape, variable.shape)))),
      () => ops.add(read(variable) as Tensor<'f32'>, 1),
      () => someRows(draw, variable),
      () => {
        const isTable = variable.shape.length === 2 && variable.shape[0]! > 1
        return isTable ? wordStep(draw, read(variable) as Tensor<'f32'>) : undefined
      },
      views,
    )()
    if (value !== undefined) assign(variable, value)
  }
}

/** A step down the gradient of what the graph computes, for some of its states. */
function descend(draw: Draw): void {
  const results = draw.tensors.filter((t) => isFloat(t.dtype)).slice(-3)
  const losses = results.map((t) => ops.mean(ops.tanh(ops.cast(t, 'f32'))))
  const loss = losses.reduce((a, b) => ops.add(a, b))
  const wanted = draw.variables.filter(() => draw.chance(0.6))
  const gradients = grad(
    loss,
    wanted.map((variable) => read(variable)),
  )
  draw.tensors.push(loss)
  wanted.forEach((variable, i) => {
    const gradient = ops.cast(gradients[i]!, 'f32')
    const decayed = draw.chance(0.3) ? ops.add(gradient, ops.mul(read(variable) as Tensor<'f32'>, 0.01)) : gradient
    draw.tensors.push(ops.sub(read(variable) as Tensor<'f32'>, ops.mul(decayed, 0.5)))
  })
}

/** The graph of a seed: the same one at every call. */
export function randomGraph(seed: number): Graph {
  const draw = new Draw(seed, seed % 3 === 0 ? 'bf16' : 'f32')
  return trace({ name: `random${seed.toString()}`, mode: 'train' }, () => {
    // Now and then more than one thread takes alone.
    const images = draw.chance(0.05)
      ? [4, 16, 24, 24]
      : [2, draw.of(3, 4, 8, 16, 20), draw.of(4, 6, 8), draw.of(4, 6, 8)]
    draw.source(images)
    if (draw.chance(0.5)) draw.source([draw.of(2, 4, 6), draw.of(4, 8, 16, 33)])
    const few = rules.filter(() => draw.chance(0.5))
    const count = 3 + draw.below(14)
    for (let i = 0; i < count; i++) draw.tensors.push(...draw.of(...(few.length > 0 ? few : rules)).apply(draw))
    if (draw.chance(0.4)) descend(draw)
    assignAll(draw)
    const fetched = draw.tensors.filter(() => draw.chance(0.15)).slice(0, 8)
    const kept = fetched.length > 0 ? fetched : draw.tensors.slice(-1)
    return Object.fromEntries(kept.map((tensor, i) => [`y${i.toString()}`, tensor]))
  })
}
