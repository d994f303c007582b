// Program text as data: what stands in it, and the same program without states, in which every value is fetched.

export interface Port {
  readonly value: number
  readonly dtype: 'f32' | 'bf16' | 'i32' | 'u8'
  readonly shape: readonly number[]
  readonly name?: string
}

export interface ProgramNode {
  readonly op: string
  readonly in: readonly number[]
  readonly out: readonly Port[]
  readonly attrs: Readonly<Record<string, unknown>>
  readonly path: string
}

/** FORMAT.md's, parsed. */
export interface Program {
  readonly name: string
  readonly feeds: readonly Port[]
  readonly states: readonly Port[]
  readonly constants: readonly (Port & { readonly data: readonly number[] })[]
  readonly nodes: readonly ProgramNode[]
  readonly assigns: readonly { readonly state: number; readonly value: number }[]
  readonly fetches: readonly { readonly name: string; readonly value: number }[]
}

/** Every value that a person may look at: the index of a maximum is a matter of the backend. */
export function visible(program: Program): Port[] {
  const outputs = program.nodes.flatMap(({ op, out }) => (op === 'maxPool2d' ? out.slice(0, 1) : out))
  return [...program.feeds, ...program.states, ...outputs]
}

/** Numbers values anew, in the order that the format demands, and names feeds after their numbers. */
function renumbered(program: Program): Program {
  const ids = new Map<number, number>()
  const all = [...program.feeds, ...program.states, ...program.constants, ...program.nodes.flatMap(({ out }) => out)]
  for (const { value } of all) ids.set(value, ids.size)
  const id = (value: number) => ids.get(value) ?? -1
  const port = <P extends Port>(p: P): P => ({ ...p, value: id(p.value) })
  return {
    ...program,
    feeds: program.feeds.map((feed) => {
      const bound = /below\d+/.exec(feed.name ?? '')?.[0] ?? ''
      return { ...port(feed), name: `x${id(feed.value).toString()}${bound}` }
    }),
    states: program.states.map(port),
    constants: program.constants.map(port),
    nodes: program.nodes.map((node) => ({ ...node, in: node.in.map(id), out: node.out.map(port) })),
    assigns: program.assigns.map(({ state, value }) => ({ state: id(state), value: id(value) })),
    fetches: program.fetches.map(({ name, value }) => ({ name, value: id(value) })),
  }
}

/** Without what nothing reads. */
function pruned(program: Program): Program {
  const used = new Set([...program.fetches, ...program.assigns].map(({ value }) => value))
  const nodes = program.nodes.toReversed().filter((node) => {
    if (!node.out.some(({ value }) => used.has(value))) return false
    for (const value of node.in) used.add(value)
    return true
  })
  const assigned = new Set(program.assigns.map(({ state }) => state))
  return renumbered({
    ...program,
    feeds: program.feeds.filter(({ value }) => used.has(value)),
    states: program.states.filter(({ value }) => used.has(value) || assigned.has(value)),
    constants: program.constants.filter(({ value }) => used.has(value)),
    nodes: nodes.toReversed(),
  })
}

/** The same function with its states as feeds and every visible value among the fetches, under its number. */
export function opened(program: Program): Program {
  const feeds = [...program.feeds, ...program.states].map((p) => ({ ...p, name: `v${p.value.toString()}` }))
  const fetches = visible(program).map(({ value }) => ({ name: `v${value.toString()}`, value }))
  return { ...program, feeds, states: [], assigns: [], fetches }
}

/** Programs a little smaller: one assign, one fetch or one node less. The outputs of that node become feeds. */
export function* smaller(program: Program): Generator<Program> {
  const without = <T>(list: readonly T[], i: number) => list.filter((_, at) => at !== i)
  for (const [i, node] of program.nodes.entries()) {
    if (node.op === 'maxPool2d' && node.out.length > 1) continue
    const feeds = [...program.feeds, ...node.out]
    yield pruned({ ...program, feeds, nodes: without(program.nodes, i) })
  }
  for (const i of program.assigns.keys()) yield pruned({ ...program, assigns: without(program.assigns, i) })
  for (const i of program.fetches.keys()) yield pruned({ ...program, fetches: without(program.fetches, i) })
}

export const textOf = (program: Program): string => JSON.stringify(program)
