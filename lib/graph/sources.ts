// The three ops through which data enters a graph. They are part of the IR: no kernel runs them.
import { type DType, dtypes } from './dtype.js'
import { ShapeError } from './errors.js'
import { notDifferentiable } from './op.js'
import { count, formatShape } from './shape.js'
import { defineOp } from './tensor.js'

interface SourceAttrs extends Readonly<Record<string, string | readonly number[]>> {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}

interface ConstantAttrs extends Readonly<Record<string, string | readonly number[]>> {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

function checkedType(attrs: { readonly dtype: string; readonly shape: readonly number[] }): {
  dtype: DType
  shape: readonly number[]
} {
  const dtype = dtypes.find((known) => known === attrs.dtype)
  if (dtype === undefined) throw new ShapeError(`expected a dtype of ${dtypes.join(', ')}, got ${attrs.dtype}`)
  for (const extent of attrs.shape) {
    if (!Number.isSafeInteger(extent) || extent < 1) {
      throw new ShapeError(`expected positive integer extents, got ${formatShape(attrs.shape)}`)
    }
  }
  return { dtype, shape: attrs.shape }
}

/** Host data copied in at each run. */
export const feedOp = defineOp<SourceAttrs>({
  name: 'feed',
  kind: 'source',
  attributes: { name: 'string', dtype: 'dtype', shape: 'ints' },
  infer: (_inputs, attrs) => [checkedType(attrs)],
  vjp: notDifferentiable('a feed has no inputs'),
})

/** The value of a variable before the run. */
export const stateOp = defineOp<SourceAttrs>({
  name: 'state',
  kind: 'source',
  attributes: { name: 'string', dtype: 'dtype', shape: 'ints' },
  infer: (_inputs, attrs) => [checkedType(attrs)],
  vjp: notDifferentiable('a state has no inputs'),
})

/** Values fixed in the program; `data` holds one number (the same everywhere) or one per element, row-major. */
export const constantOp = defineOp<ConstantAttrs>({
  name: 'constant',
  kind: 'source',
  attributes: { dtype: 'dtype', shape: 'ints', data: 'json' },
  infer: (_inputs, attrs) => {
    const type = checkedType(attrs)
    const n = count(type.shape)
    if (attrs.data.length !== 1 && attrs.data.length !== n) {
      throw new ShapeError(
        `expected 1 or ${n.toString()} numbers for ${formatShape(type.shape)}, got ${attrs.data.length.toString()}`,
      )
    }
    return [type]
  },
  vjp: notDifferentiable('a constant has no inputs'),
})
