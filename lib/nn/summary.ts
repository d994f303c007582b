// What a network is made of: paths, shapes, parameters and multiply-adds per layer, read from its traced graph, so that
// closures are counted as layers are.
import { expectOptions, is } from '../base/index.js'
import {
  count,
  type DType,
  feed,
  formatShape,
  type Graph,
  Names,
  type Node,
  type Shape,
  type Tensor,
  trace,
} from '../graph/index.js'
import type { Step } from './layer.js'
import { grouped } from '../report/index.js'

/** A layer, or a stretch of ops between layers. */
export interface SummaryRow {
  /** Empty for what runs outside any layer. */
  readonly path: string
  /** Of a layer, as in paths; of anything else, the name of its last op. */
  readonly kind: string
  readonly output: Shape
  /** Trained numbers; shared ones are counted where they are first used. */
  readonly parameters: number
  /** Of matrix products, convolutions and recurrences, for the whole input. */
  readonly multiplyAdds: number
}

/** The layers of a network in the order of their calls, and their totals. */
export interface Summary {
  readonly rows: readonly SummaryRow[]
  readonly parameters: number
  readonly multiplyAdds: number
}

/** Extents of the input to trace a network with. */
export interface SummaryInput {
  /** With the batch. */
  readonly x: Shape
  /** Default: f32. */
  readonly dtype?: DType
}

/**
 * Traces `net` on an input (as in training, so that dropout is seen) and lists its layers in the order of their calls.
 * @throws ShapeError where the input does not fit.
 * @example nn.summary(lenet(), { x: [1, 1, 28, 28] }).parameters // 3274634
 */
export function summary(net: Step, input: SummaryInput): Summary {
  const types = is.oneOf('f32', 'bf16', 'i32', 'u8')
  expectOptions<SummaryInput>('nn.summary', input, { x: is.needed(is.numbers), dtype: types })
  const { x, dtype = 'f32' } = input
  const names = new KnownKinds()
  const apply = net as unknown as (x: Tensor) => Tensor
  const graph = trace({ name: 'summary', mode: 'train', names }, () => ({ y: apply(feed('x', dtype, x)) }))
  const rows = rowsOf(graph, names.kinds)
  return {
    rows,
    parameters: parameterCount(graph.states),
    multiplyAdds: rows.reduce((total, row) => total + row.multiplyAdds, 0),
  }
}

/** Remembers of which kind the layers are that are called while it gives them their paths. */
class KnownKinds extends Names {
  readonly kinds = new Map<string, string>()

  override layer(owner: object, parent: string, kind: string, name: string | undefined): string {
    const path = super.layer(owner, parent, kind, name)
    if (kind !== '') this.kinds.set(path, kind)
    return path
  }
}

function rowsOf({ nodes, states }: Graph, kinds: ReadonlyMap<string, string>): SummaryRow[] {
  const rows = new Map<string, SummaryRow>()
  const counted = new Set<string>()
  let stretch = 0
  let previous: string | undefined
  for (const node of nodes) {
    const { path } = node
    if (path !== previous) stretch++
    previous = path
    // A layer has one row; what runs between layers has one for each stretch, where it runs.
    const isOwn = kinds.has(path)
    const key = isOwn ? path : `${path}#${stretch}`
    const before = rows.get(key)
    const own = states.filter(({ name, tensor }) => {
      if (counted.has(name)) return false
      return isOwn ? parentOf(name) === path : !kinds.has(parentOf(name)) && node.inputs.includes(tensor)
    })
    for (const { name } of own) counted.add(name)
    rows.set(key, {
      path,
      kind: kinds.get(path) ?? node.op.name,
      output: node.outputs[0]?.shape ?? [],
      parameters: (before?.parameters ?? 0) + parameterCount(own),
      multiplyAdds: (before?.multiplyAdds ?? 0) + multiplyAdds(node),
    })
  }
  return [...rows.values()]
}

function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/')
}

function parameterCount(states: Graph['states']): number {
  return states.reduce((sum, { variable }) => (variable.role === 'parameter' ? sum + variable.count : sum), 0)
}

/** Products that are summed for each element of the output (of a recurrent op: of its gates), times the number of those. */
function multiplyAdds({ op, inputs, outputs, attrs }: Node): number {
  const [a, b] = inputs
  const elements = count(outputs[0]?.shape ?? [])
  if (op.name === 'conv2d') return elements * count(b?.shape.slice(1) ?? [])
  // A transposed convolution, which spreads its input.
  if (op.name === 'conv2dGradInput') return count(a?.shape ?? []) * count(b?.shape.slice(1) ?? [])
  if (op.name === 'matmul') return elements * (a?.shape.at(attrs['transposeA'] === true ? -2 : -1) ?? 0)
  if (['lstm', 'rnn', 'gru'].includes(op.name)) return count(a?.shape ?? []) * (b?.shape[0] ?? 0)
  return 0
}

/**
 * A summary as an aligned table.
 * @example console.log(nn.formatSummary(nn.summary(net, { x: [1, 1, 28, 28] })))
 */
export function formatSummary({ rows, parameters, multiplyAdds }: Summary): string {
  const lines = [
    ['layer', 'kind', 'output', 'parameters', 'multiply-adds'],
    ...rows.map((row) => [
      row.path === '' ? '-' : row.path,
      row.kind,
      formatShape(row.output),
      grouped(row.parameters),
      grouped(row.multiplyAdds),
    ]),
    ['total', '', '', grouped(parameters), grouped(multiplyAdds)],
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  const text = lines.map((line) =>
    line
      .map((value, column) => aligned(value, column, widths))
      .join('  ')
      .trimEnd(),
  )
  return [text[0], rule, ...text.slice(1, -1), rule, text.at(-1), ''].join('\n')
}

/** Words to the left, numbers to the right. */
function aligned(value: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return column < 3 ? value.padEnd(width) : value.padStart(width)
}
