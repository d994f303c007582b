// Names of feeds and fetches, over a stand-in for the addon's Program.
import { describe, expect, it } from 'vitest'
import type { HostArray } from '../../../lib/graph/index.js'
import type { NativeProgram } from '../../../lib/runtime/binding.js'
import { rethrow } from '../../../lib/runtime/errors.js'
import { DeviceError, Program, readPorts } from '../../../lib/runtime/index.js'

const text = JSON.stringify({
  name: 'tiny',
  feeds: [
    { value: 0, name: 'x', dtype: 'f32', shape: [2, 3] },
    { value: 1, name: 'labels', dtype: 'i32', shape: [2] },
  ],
  states: [{ value: 2, name: 'w', dtype: 'f32', shape: [3] }],
  constants: [{ value: 3, dtype: 'f32', shape: [], data: [1] }],
  nodes: [{ out: [{ value: 4, dtype: 'bf16', shape: [2] }] }],
  fetches: [
    { name: 'y', value: 4 },
    { name: 'x', value: 0 },
  ],
})

type Call = readonly [readonly HostArray[], readonly (HostArray | null)[]]

function program(answer: () => Promise<void> = () => Promise.resolve()): { program: Program; calls: Call[] } {
  const calls: Call[] = []
  const native: NativeProgram = {
    run(feeds, fetches) {
      calls.push([feeds, fetches])
      return answer()
    },
    stats: () => {
      throw Object.assign(new Error('stats[tiny]: gone'), { code: 'ERR_DISPOSED' })
    },
    dispose: () => undefined,
  }
  const { name, ...ports } = readPorts(text)
  return { program: new Program(name, ports, native), calls }
}

const x = new Float32Array(6)
const labels = new Int32Array(2)

describe('Program', () => {
  it('reads its ports from the text', () => {
    const { feeds, fetches } = program().program
    expect(feeds.map(({ name }) => name)).toEqual(['x', 'labels'])
    expect(fetches).toEqual([
      { name: 'y', dtype: 'bf16', shape: [2] },
      { name: 'x', dtype: 'f32', shape: [2, 3] },
    ])
  })

  it('puts feeds in order and makes arrays for every fetch', async () => {
    const { program: tiny, calls } = program()
    const results = await tiny.run({ labels, x })
    expect(calls[0]?.[0]).toEqual([x, labels])
    expect(results['y']).toEqual(new Uint16Array(2))
    expect(results['x']).toEqual(new Float32Array(6))
    expect(calls[0]?.[1][0]).toBe(results['y'])
  })

  it('skips fetches that are not asked for', async () => {
    const { program: tiny, calls } = program()
    const fetches = { x: new Float32Array(6) }
    expect(await tiny.run({ x, labels }, fetches)).toBe(fetches)
    expect(calls[0]?.[1]).toEqual([null, fetches.x])
  })

  it.each([
    [{ x }, undefined, 'run[tiny]: expected feed labels, got none'],
    [{ x, labels, extra: x }, undefined, 'run[tiny]: expected feed x, labels, got extra'],
    [{ x, labels }, { z: x }, 'run[tiny]: expected fetch y, x, got z'],
  ])('refuses wrong names', async (feeds, fetches, message) => {
    const { program: tiny, calls } = program()
    const rejected = tiny.run(feeds, fetches)
    await expect(rejected).rejects.toThrow(message)
    await expect(rejected).rejects.toBeInstanceOf(DeviceError)
    expect(calls).toEqual([])
  })

  it('re-types native errors and keeps others', async () => {
    const native = Object.assign(new Error('crossEntropy[loss]: label'), { code: 'ERR_DATA' })
    const failed = program(() => Promise.reject(native)).program.run({ x, labels })
    await expect(failed).rejects.toMatchObject({ name: 'DeviceError', code: 'ERR_DATA', message: native.message })
    expect(() => program().program.stats()).toThrow(DeviceError)
    const other = new TypeError('not ours')
    expect(() => rethrow(other)).toThrow(other)
  })
})
