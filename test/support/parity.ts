// What a backend computes of a sample, beside the interpreter in double precision.
import { difference } from './compare.js'
import { runNative } from './native.js'
import type { OpCase, Sample } from './op-case.js'
import { drawInputs, graphOf, outputsOf, type Precision } from './samples.js'

/** A precision of the graph, or `tf32`: a graph of f32 whose products the backend may round to it. */
export type Arithmetic = Precision | 'tf32'

const precisions: readonly Precision[] = ['f32', 'bf16']
/** Operands of a product keep 11 bits. */
const tf32Rounding = 2 ** -10

export const follows = (sample: Sample): boolean => sample.inputs.some(({ dtype }) => dtype === 'float')
export const precisionsOf = (sample: Sample): readonly Precision[] =>
  follows(sample) ? precisions : precisions.slice(0, 1)

function f32Share({ f32, relativeTo, spreads = false }: OpCase['tolerance'], arithmetic: Arithmetic): number {
  // Only sums of products have a tolerance relative to the tensor; nothing else may be rounded to tf32.
  if (arithmetic !== 'tf32' || relativeTo !== 'tensor') return f32
  // What comes of a sum goes into the next.
  return Math.max(f32, spreads ? 4 * tf32Rounding : tf32Rounding)
}

/** The first output that is out of tolerance, in words; undefined where all agree. */
export async function disagreement(
  opCase: OpCase,
  sample: Sample,
  backend: string,
  arithmetic: Arithmetic,
): Promise<string | undefined> {
  const tolerance = sample.tolerance ?? opCase.tolerance
  const inputs = drawInputs(sample)
  const whole = graphOf(sample, arithmetic === 'tf32' ? 'f32' : arithmetic)
  // What only another node of the program may read never leaves it.
  const graph = { ...whole, fetches: whole.fetches.filter((_, i) => sample.opaque?.includes(i) !== true) }
  const want = outputsOf(graph, inputs)
  const got = await runNative(graph, inputs, backend, { tf32: arithmetic === 'tf32' })
  for (const [i, { name, tensor }] of graph.fetches.entries()) {
    const rounded = tensor.dtype === 'bf16' || (tolerance.spreads === true && arithmetic === 'bf16')
    const share = rounded ? tolerance.bf16 : tensor.dtype === 'f32' ? f32Share(tolerance, arithmetic) : 0
    const found = difference(got[i]!, want[i]!, { tolerance: share, relativeTo: tolerance.relativeTo })
    if (found !== undefined) return `${name}: ${found} (${tolerance.reason})`
  }
  return undefined
}
