// Reverse-mode differentiation: emits the backward nodes of a graph into the trace that is running. Knows ops only by
// their `vjp`. Refuses a loss that is not a scalar, integers to differentiate by, and paths through ops without derivative.
import { add } from '../ops/index.js'
import {
  at,
  constant,
  expectTensor,
  formatShape,
  GraphError,
  isFloat,
  type Node,
  sameShape,
  ShapeError,
  Tensor,
} from '../graph/index.js'

/** Tensors to differentiate by: one, a list or a record of them. */
export type Wrt = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>
/** A gradient for each, of the same type. */
export type Gradients<W extends Wrt> = W extends Tensor ? W : { -readonly [K in keyof W]: W[K] }

/**
 * Gradient of a scalar: dloss/dw for every w in `wrt`, of the same dtype and shape; zeros where the loss does not depend on it.
 * The result is ordinary graph, and can be differentiated again.
 * @throws ShapeError where the loss is not a float scalar or w not float; GraphError, with the op's reason, where a
 * needed path has no derivative.
 * @example const { w, b } = grad(loss, { w: layer.w, b: layer.b })
 */
export function grad<W extends Wrt>(loss: Tensor, wrt: W): Gradients<W> {
  expectTensor(loss, 'grad[loss]')
  if (loss.rank !== 0 || !isFloat(loss.dtype)) {
    throw new ShapeError(`grad: expected a float scalar as loss, got ${loss.dtype}${formatShape(loss.shape)}`)
  }
  return vjp([loss], [constant(loss.dtype, [], 1)], wrt)
}

/**
 * Vector-Jacobian product: sum over outputs of cotangent . d(output)/dw for every w in `wrt`.
 * @throws as `grad`, and ShapeError where a cotangent is not of its output's type.
 */
export function vjp<W extends Wrt>(outputs: readonly Tensor[], cotangents: readonly Tensor[], wrt: W): Gradients<W> {
  const targets: readonly Tensor[] = wrt instanceof Tensor ? [wrt] : Object.values(wrt)
  for (const target of targets) {
    expectTensor(target, 'grad[wrt]')
    if (!isFloat(target.dtype)) {
      throw new ShapeError(
        `grad: expected f32 or bf16 to differentiate by, got ${target.dtype}${formatShape(target.shape)}`,
      )
    }
  }
  const known = backward(outputs, cotangents, targets)
  const gradient = (target: Tensor) => known.get(target) ?? constant(target.dtype, target.shape, 0)
  if (wrt instanceof Tensor) return gradient(wrt) as Gradients<W>
  if (Array.isArray(wrt)) return targets.map(gradient) as Tensor[] as Gradients<W>
  return Object.fromEntries(Object.entries(wrt).map(([key, target]) => [key, gradient(target)])) as Gradients<W>
}

type Cotangents = Map<Tensor, Tensor>

function backward(outputs: readonly Tensor[], seeds: readonly Tensor[], targets: readonly Tensor[]): Cotangents {
  const order = nodesInOrder(outputs)
  const wanted = dependents(order, new Set(targets))
  const cotangents: Cotangents = new Map()
  outputs.forEach((output, i) => {
    const cotangent = seeds[i]
    if (cotangent === undefined) throw new ShapeError(`vjp: expected ${outputs.length} cotangents, got ${seeds.length}`)
    if (wanted.has(output)) accumulate(cotangents, output, cotangent)
  })
  for (const node of order.reverse()) {
    const reached = node.outputs.some((output) => cotangents.has(output))
    if (reached && node.inputs.some((input) => wanted.has(input))) {
      at(node, () => {
        pullBack(node, wanted, cotangents)
      })
    }
  }
  return cotangents
}

/** Nodes that the outputs are made of, inputs first. Iterative: graphs are deeper than the call stack. */
function nodesInOrder(outputs: readonly Tensor[]): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  for (const output of outputs) {
    const stack: { node: Node; next: number }[] = []
    const enter = (node: Node) => {
      if (seen.has(node)) return
      seen.add(node)
      stack.push({ node, next: 0 })
    }
    enter(output.node)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++]
      if (input !== undefined) enter(input.node)
      else order.push(stack.pop()?.node ?? top.node)
    }
  }
  return order
}

/** The targets and every float tensor that depends on one. */
function dependents(order: readonly Node[], targets: ReadonlySet<Tensor>): Set<Tensor> {
  const wanted = new Set<Tensor>(targets)
  for (const node of order) {
    if (!node.inputs.some((input) => wanted.has(input))) continue
    for (const output of node.outputs) if (isFloat(output.dtype)) wanted.add(output)
  }
  return wanted
}

/** Hands the cotangents of a node's outputs to its inputs. */
function pullBack(node: Node, wanted: ReadonlySet<Tensor>, cotangents: Cotangents): void {
  const rule = node.op.vjp
  const where = `${node.op.name}[${node.path}]`
  if (typeof rule !== 'function') {
    const line = node.site?.line
    const place = line === undefined ? '' : ` (at ${line})`
    throw new GraphError(
      `${where}: expected a differentiable op on the way to the loss, got one that is not: ${rule.reason}${place}`,
    )
  }
  const parts = rule(
    node,
    node.outputs.map((output) => cotangents.get(output)),
  )
  node.inputs.forEach((input, i) => {
    const part = parts[i]
    if (part !== undefined && wanted.has(input)) accumulate(cotangents, input, part)
  })
}

function accumulate(cotangents: Cotangents, tensor: Tensor, part: Tensor): void {
  if (part.dtype !== tensor.dtype || !sameShape(part.shape, tensor.shape)) {
    const text = (x: Tensor) => `${x.dtype}${formatShape(x.shape)}`
    throw new ShapeError(
      `${tensor.node.op.name}[${tensor.node.path}]: expected a cotangent ${text(tensor)}, got ${text(part)}`,
    )
  }
  const sum = cotangents.get(tensor)
  cotangents.set(tensor, sum === undefined ? part : add(sum, part))
}
