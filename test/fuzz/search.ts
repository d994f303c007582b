// Looks for a program whose two ways to run disagree, and makes it small.
import { compileGraph, type CompilePrecision } from '../../lib/compile/index.js'
import type { NativeDevice } from '../../lib/runtime/binding.js'
import { generator } from '../support/random.js'
import { disagreement, drawn } from './metamorphic.js'
import { type Port, type Program, type ProgramNode, smaller, textOf, visible } from './program.js'
import { randomGraph } from './random-graph.js'

const typeOf = ({ dtype, shape }: Port) => `${dtype} ${shape.join()}`

/** Sum and product of two values, of which perhaps nobody reads one. */
function both(values: readonly Port[], one: <T>(list: readonly T[]) => T): ProgramNode {
  const a = one(values.filter(({ dtype }) => dtype === 'f32' || dtype === 'bf16'))
  const b = one(values.filter((value) => typeOf(value) === typeOf(a)))
  const inputs = a.value === b.value ? [a.value] : [a.value, b.value]
  const second = inputs.length - 1
  const chain = ['add', 'mul'].map((op) => [op, a.dtype, 0, second])
  const out = [0, 1].map((value) => ({ value, dtype: a.dtype, shape: a.shape }))
  return { op: 'pointwise', in: inputs, out, attrs: { chain, outputs: [second + 1, second + 2] }, path: 'both' }
}

/**
 * The same nodes and a few more, with other ends: any values are fetched, and states become any values of their type.
 * So there are outputs that nobody reads, which no pass leaves.
 */
function reassigned(program: Program, seed: number): Program {
  const random = generator(seed)
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const nodes = [...program.nodes]
  const all = () => [...program.feeds, ...program.states, ...program.constants, ...nodes.flatMap(({ out }) => out)]
  const seen = () => visible({ ...program, nodes })
  for (let i = Math.floor(random() * 3); i > 0; i--) {
    const node = both(seen(), one)
    const first = all().length
    nodes.push({ ...node, out: node.out.map((port, k) => ({ ...port, value: first + k })) })
  }
  const values = seen()
  const fetches = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => ({
    name: `y${i.toString()}`,
    value: one(random() < 0.5 ? values : values.slice(-4)).value,
  }))
  const assigns = program.states
    .filter(() => random() < 0.7)
    .map((state) => ({ state: state.value, value: one(values.filter((v) => typeOf(v) === typeOf(state))).value }))
  return { ...program, nodes, fetches, assigns }
}

/** The program of a seed, through all passes; every other one ends as `reassigned` says. */
export function programOf(seed: number): Program {
  const precision: CompilePrecision = seed % 2 === 0 ? 'f32' : 'bf16'
  const program = JSON.parse(compileGraph(randomGraph(seed), { precision }).text) as Program
  return (seed >> 2) % 2 === 0 ? program : reassigned(program, seed)
}

/** A program that still disagrees, and how; the given one where no smaller one does. */
async function minimised(device: NativeDevice, program: Program, seed: number, found: string) {
  let [best, words] = [program, found]
  for (let shrunk = true; shrunk;) {
    shrunk = false
    for (const candidate of smaller(best)) {
      const still = await disagreement(device, candidate, drawn(candidate, seed))
      if (still === undefined) continue
      ;[best, words, shrunk] = [candidate, still, true]
      break
    }
  }
  return { program: best, words }
}

/** Names of the ops in a pointwise chain. */
const instructionsOf = (chain: unknown): string[] => ((chain ?? []) as [string][]).map(([name]) => name)

export interface Finding {
  readonly seed: number
  readonly words: string
  /** Text of the smallest program that disagrees. */
  readonly text: string
}

/** Runs the program of a seed both ways. */
export async function tried(device: NativeDevice, seed: number): Promise<{ ops: string[]; finding?: Finding }> {
  const program = programOf(seed)
  const ops = program.nodes.flatMap(({ op, attrs }) => [op, ...instructionsOf(attrs['chain'])])
  const found = await disagreement(device, program, drawn(program, seed))
  if (found === undefined) return { ops }
  const { program: least, words } = await minimised(device, program, seed, found)
  return { ops, finding: { seed, words, text: textOf(least) } }
}
