// Two ways to run one program, which have to agree: as it is, with its states, in-place results and homes; and without
// states, with every value fetched, so that nothing can be overwritten.
import { hostArray, type HostArray, count } from '../../lib/graph/index.js'
import type { NativeDevice } from '../../lib/runtime/binding.js'
import { generator, toBf16 } from '../support/random.js'
import { opened, type Port, type Program, textOf, visible } from './program.js'

const word = new DataView(new ArrayBuffer(4))
const bitsOf = (x: number) => (word.setFloat32(0, toBf16(x)), word.getUint16(0))
const valueOf = (bits: number) => (word.setUint32(0, bits << 16), word.getFloat32(0))
const numbers = ({ dtype }: Port, array: HostArray) =>
  dtype === 'bf16' ? Array.from(array, valueOf) : Array.from(array)

/** Numbers for a feed or a state: near 1, not near 0; whole ones below what the name says. */
function filled({ dtype, shape, name = '' }: Port, random: () => number): HostArray {
  const array = hostArray(dtype, count(shape))
  const limit = Number(/below(\d+)/.exec(name)?.[1] ?? (dtype === 'u8' ? 2 : 3))
  for (let i = 0; i < array.length; i++) {
    const real = (random() * 0.9 + 0.1) * (random() < 0.5 ? -1 : 1)
    array[i] = dtype === 'f32' ? real : dtype === 'bf16' ? bitsOf(real) : Math.floor(random() * limit)
  }
  return array
}

export type Values = Map<number, HostArray>

/** Feeds and states of a program, by value. */
export function drawn(program: Program, seed: number): Values {
  const random = generator(seed)
  return new Map([...program.feeds, ...program.states].map((port) => [port.value, filled(port, random)]))
}

const taken = (values: Values, ports: readonly { readonly value: number }[]) =>
  ports.map(({ value }) => values.get(value)!)

/** All visible values of the program that has none but feeds. */
async function reference(device: NativeDevice, program: Program, given: Values): Promise<Values> {
  const open = opened(program)
  const built = await device.compile(textOf(open), [])
  const seen = visible(program)
  const fetched = seen.map(({ dtype, shape }) => hostArray(dtype, count(shape)))
  await built.run(taken(given, open.feeds), fetched)
  built.dispose()
  const constants = program.constants.map((port) => {
    const array = hostArray(port.dtype, count(port.shape))
    for (let i = 0; i < array.length; i++) {
      const x = port.data[port.data.length === 1 ? 0 : i] ?? 0
      array[i] = port.dtype === 'bf16' ? bitsOf(x) : x
    }
    return [port.value, array] as const
  })
  return new Map([...seen.map(({ value }, i) => [value, fetched[i]!] as const), ...constants])
}

/** Where both differ by more than roundings, in words. */
function difference(port: Port, got: HostArray, want: HostArray): string | undefined {
  const [a, b] = [numbers(port, got), numbers(port, want)]
  const largest = b.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0)
  const share = port.dtype === 'f32' ? 1e-4 : port.dtype === 'bf16' ? 2 ** -4 : 0
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? NaN
    if (Object.is(x, y) || Math.abs(x - y) <= share * Math.max(largest, 1e-3)) continue
    return `element ${i.toString()} of [${port.shape.join(', ')}]: expected ${y.toString()}, got ${x.toString()}`
  }
  return undefined
}

/** Runs a program both ways, twice one after the other; the first disagreement in words, or nothing. */
export async function disagreement(device: NativeDevice, program: Program, given: Values): Promise<string | undefined> {
  const ports = new Map([...visible(program), ...program.constants].map((port) => [port.value, port]))
  const buffers = program.states.map(({ dtype, shape, name = '' }) => device.alloc({ dtype, shape, name }))
  try {
    await Promise.all(buffers.map((buffer, i) => buffer.write(given.get(program.states[i]!.value)!)))
    const built = await device.compile(textOf(program), buffers)
    let now = given
    for (const run of ['first', 'second']) {
      const want = await reference(device, program, now)
      const fetched = program.fetches.map(({ value }) => {
        const { dtype, shape } = ports.get(value)!
        return hostArray(dtype, count(shape))
      })
      await built.run(taken(now, program.feeds), fetched)
      for (const [i, { name, value }] of program.fetches.entries()) {
        const found = difference(ports.get(value)!, fetched[i]!, want.get(value)!)
        if (found !== undefined) return `${run} run, fetch ${name}: ${found}`
      }
      const after = new Map(now)
      for (const [i, port] of program.states.entries()) {
        const value = program.assigns.find(({ state }) => state === port.value)?.value ?? port.value
        const got = hostArray(port.dtype, count(port.shape))
        await buffers[i]!.read(got)
        const found = difference(port, got, want.get(value)!)
        if (found !== undefined) return `${run} run, state ${port.name ?? ''}: ${found}`
        after.set(port.value, got)
      }
      now = after
    }
    built.dispose()
    return undefined
  } finally {
    for (const buffer of buffers) buffer.dispose()
  }
}
