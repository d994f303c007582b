// bf16 copies of parameters are state of their own: a program reads the copy, and a program that assigns the parameter
// assigns the copy too, so no step converts weights that did not change.
import {
  type Graph,
  type GraphAssign,
  type GraphState,
  makeNode,
  type Node,
  read,
  stateOp,
  type Tensor,
  Variable,
} from '../../graph/index.js'
import { cast } from '../../ops/index.js'
import { input, opNamed, output, Rewriter } from '../rewrite.js'
import { dce } from './dce.js'

const shadows = new WeakMap<Variable, Variable>()
const owners = new WeakMap<Variable, Variable>()

/** The bf16 copy of a parameter: one for all programs. Its `init` reads the parameter, which must hold its value by then. */
function shadowOf(parameter: Variable): Variable {
  const known = shadows.get(parameter)
  if (known !== undefined) return known
  const made: Variable = new Variable({
    label: `${parameter.label}.bf16`,
    dtype: 'bf16',
    shape: parameter.shape,
    role: 'shadow',
    init: () => cast(read(parameter), 'bf16'),
  })
  shadows.set(parameter, made)
  owners.set(made, parameter)
  return made
}

/** The parameter of which a shadow is the copy. */
export function ownerOf(shadow: Variable): Variable | undefined {
  return owners.get(shadow)
}

/** A shadow that this graph reads, beside the state of its parameter. */
interface Copied {
  readonly parameter: GraphState
  readonly shadow: GraphState
}

function copyOf(parameter: GraphState): Copied {
  const name = `${parameter.name}.bf16`
  const attrs = { name, dtype: 'bf16', shape: [...parameter.tensor.shape] }
  const tensor = output(makeNode(stateOp, [], attrs, { path: name, site: undefined }))
  return { parameter, shadow: { name, variable: shadowOf(parameter.variable), tensor } }
}

const isNarrowing = (node: Node): boolean => node.op.name === 'cast' && output(node).dtype === 'bf16'

/** Parameters that the graph reads through a cast to bf16. */
function copiedParameters(graph: Graph): Map<Tensor, Copied> {
  const narrowed = new Set(graph.nodes.filter(isNarrowing).map((node) => input(node, 0)))
  const parameters = graph.states.filter(
    ({ variable, tensor }) => variable.role === 'parameter' && narrowed.has(tensor),
  )
  return new Map(parameters.map((parameter) => [parameter.tensor, copyOf(parameter)]))
}

export function shadow(graph: Graph): Graph {
  const copied = copiedParameters(graph)
  const updates = new Map<Tensor, Copied[]>()
  for (const { state, value } of graph.assigns) {
    const copy = copied.get(state)
    if (copy !== undefined) updates.set(value, [...(updates.get(value) ?? []), copy])
  }
  const rewriter = new Rewriter()
  const assigns: GraphAssign[] = []
  /** The copy's new value stands right behind the parameter's, so that one chain writes both. */
  const assignCopies = (old: Tensor) => {
    for (const { parameter, shadow: state } of updates.get(old) ?? []) {
      const origin = { path: parameter.name, site: old.node.site }
      const value = output(rewriter.emit(opNamed('cast'), [rewriter.get(old)], { dtype: 'bf16' }, origin))
      assigns.push({ state: state.tensor, value })
    }
    updates.delete(old)
  }
  for (const old of graph.nodes) {
    const copy = isNarrowing(old) ? copied.get(input(old, 0)) : undefined
    if (copy === undefined) {
      const node = rewriter.rebuild(old)
      rewriter.nodes.push(node)
      for (const [i, tensor] of old.outputs.entries()) if (node !== old) rewriter.replace(tensor, output(node, i))
    } else {
      rewriter.replace(output(old), copy.shadow.tensor)
    }
    for (const tensor of old.outputs) assignCopies(tensor)
  }
  for (const tensor of [...updates.keys()]) assignCopies(tensor)
  const states = [...graph.states, ...[...copied.values()].map((copy) => copy.shadow)]
  const done = rewriter.finish({ ...graph, states })
  return dce({ ...done, assigns: [...done.assigns, ...assigns] })
}
