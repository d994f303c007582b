// node layers.mjs CELL PRECISION ALGORITHM DEVICE: a recurrent layer (lstm or tanh) that cuDNN computes, forward and backward, held to the CPU. ALGORITHM is
// `cudnn` for the first that takes it, or the name of one. Prints one line of JSON with how far each output lies from the CPU's, as a share of its largest
// element; throws where that is too far, or where cuDNN did not compute it.
import { feed, openDevice, ops, Programs, read, StateStore, Variable } from '../../bench/steps/library.mjs'
import { vjp } from '../../dist/index.js'

const [cell, precision, algorithm, device] = process.argv.slice(2)
const [steps, streams, features, units] = [35, 20, 200, 256]
const parts = cell === 'lstm' ? 4 : 1
const tolerance = { f32: 2 ** -12, tf32: 2 ** -7, bf16: 2 ** -4 }

const count = (shape) => shape.reduce((product, extent) => product * extent, 1)
const inputs = { x: [steps, streams, features], h0: [streams, units], ...(cell === 'lstm' && { c0: [streams, units] }) }
const numbers = Object.fromEntries(
  Object.entries(inputs).map(([name, shape], k) => [
    name,
    Float32Array.from({ length: count(shape) }, (_, i) => Math.sin(i * (k + 1.37) + k)),
  ]),
)
const weights = Object.entries({ w: [parts * units, features], u: [units, parts * units], b: [parts * units] }).map(
  ([label, shape]) => {
    const init = () => ops.randomUniform(shape, { low: -0.1, high: 0.1 })
    return new Variable({ label, dtype: 'f32', shape, role: 'parameter', init })
  },
)

/** h, the last c, and a gradient of everything; those of weights marked, as a session does. */
function layer() {
  const { x, h0, c0 } = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, feed(name, 'f32', shape)]),
  )
  const [w, u, b] = weights.map((variable) => read(variable))
  const rows = ops.matmul(ops.reshape(x, [steps * streams, features]), w, { transposeB: true, bias: b })
  const gates = ops.reshape(rows, [steps, streams, parts * units])
  const isLstm = cell === 'lstm'
  const states = isLstm ? ops.lstm(gates, u, { h: h0, c: c0 }) : { h: ops.rnn(gates, u, h0, { activation: cell }) }
  const cotangent = ops.cos(ops.stopGradient(states.h))
  const given = { x, h0, ...(isLstm && { c0 }) }
  const dgiven = vjp([states.h], [cotangent], given)
  const dweights = vjp([states.h], [cotangent], [w, u, b])
  return {
    h: states.h,
    ...(isLstm && { c: ops.slice(states.c, [steps - 1, 0, 0], [1, streams, units]) }),
    ...Object.fromEntries(Object.entries(dgiven).map(([name, gradient]) => [`d${name}`, gradient])),
    ...Object.fromEntries(
      weights.map((variable, i) => [`d${variable.label}`, ops.parameterGradient(variable, dweights[i])]),
    ),
  }
}

async function computed(where, at) {
  const opened = await openDevice({ device: where })
  const programs = new Programs(opened, new StateStore(opened), 1)
  const { program } = await programs.build({ name: 'layer', mode: 'train', precision: at, brings: true }, layer)
  const got = await program.run(numbers)
  const { explain } = program.stats()
  await opened.dispose()
  return { got, explain }
}

process.env.OSTRICH_RECURRENCES = algorithm
const there = await computed(device, precision)
const calls = there.explain.match(/\bcudnn-[\w-]+/g) ?? []
if (device.startsWith('cuda') && calls.length === 0 && algorithm !== 'cudnn') {
  // The first one takes every layer, others some.
  process.stdout.write(`${JSON.stringify({ skipped: true, reason: `${algorithm} does not take it` })}\n`)
  process.exit()
}
if (device.startsWith('cuda') && calls.length !== 2)
  throw new Error(`expected two calls of cuDNN, got ${there.explain}`)
const here = await computed('cpu', 'f32')
const apart = Object.fromEntries(
  Object.entries(here.got).map(([name, wanted]) => {
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - there.got[name][i])), 0)
    return [name, worst / largest]
  }),
)
const far = Object.entries(apart).filter(([, share]) => !(share < tolerance[precision]))
if (far.length > 0) throw new Error(`expected the CPU's numbers, got ${JSON.stringify(Object.fromEntries(far))} away`)
process.stdout.write(`${JSON.stringify({ by: calls[0], apart })}\n`)
