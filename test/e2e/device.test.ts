// Devices, buffers and programs through the addon: results, refusals, disposal.
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../lib/ops/registry.js'
import { driverIsThere } from '../../lib/runtime/driver.js'
import {
  type Buffer,
  type Device,
  diagnose,
  expectOps,
  openDevice,
  type Program,
  versions,
} from '../../lib/runtime/index.js'
import { doubling, labelLoss, products } from '../support/tiny-program.js'

const n = 100_352

let device: Device
let w: Buffer
let program: Program

beforeAll(async () => {
  device = await openDevice({ device: 'cpu' })
  w = device.alloc({ name: 'w', dtype: 'f32', shape: [n] })
  program = await device.compile(doubling(n), [w])
})

afterAll(() => device.dispose())

describe('addon', () => {
  it('runs the ops of the registry, and says when it does not', () => {
    const names = [...registry.values()].filter((op) => op.kind !== 'marker').map((op) => op.name)
    expectOps(names)
    expect(() => {
      expectOps([...names.slice(1), 'made-up'])
    }).toThrow(/got without made-up, with \w+ of its own/)
  })

  it('tells versions and what was found', () => {
    expect(versions()).toMatchObject({ program: '1' })
    const { addon, backends, napi } = diagnose()
    expect(addon).toHaveProperty('path')
    expect(backends).toContainEqual({ name: 'cpu', available: true })
    expect(Number(napi)).toBeGreaterThanOrEqual(9)
  })
})

describe('openDevice', () => {
  it('falls back from auto, and says so once where there is a driver', async () => {
    const warnings: string[] = []
    await using opened = await openDevice({ onWarning: (message) => warnings.push(message) })
    const cuda = diagnose().backends.find(({ name }) => name === 'cuda')?.available === true
    expect(warnings).toHaveLength(cuda || !driverIsThere() ? 0 : 1)
    expect(opened.info()['backend']).toBe(cuda ? 'cuda' : 'cpu')
  })

  it.skipIf(diagnose().backends.some(({ name, available }) => name === 'cuda' && available))(
    'refuses cuda where there is none, with the reason and a remedy',
    async () => {
      const refused = openDevice({ device: 'cuda' })
      await expect(refused).rejects.toMatchObject({ code: 'ERR_NO_DEVICE' })
      await expect(refused).rejects.toThrow(
        /expected cuda, got none: (ostrich_cuda\.so is not part of this build|.*no NVIDIA driver).*use device: 'cpu'/s,
      )
    },
  )

  it('starts no more threads than there are processors, and says so', async () => {
    const warnings: string[] = []
    await using many = await openDevice({ device: 'cpu', threads: 4096, onWarning: (text) => warnings.push(text) })
    const most = availableParallelism()
    expect(many.info()['threads']).toBe(String(most))
    expect(warnings).toEqual([
      `device: expected threads to be at most the ${most} processors of this machine, got 4096: ${most} run`,
    ])
    await using one = await openDevice({ device: 'cpu', threads: 1, onWarning: (text) => warnings.push(text) })
    expect(one.info()['threads']).toBe('1')
    expect(warnings).toHaveLength(1)
  })

  it('refuses what it does not know', async () => {
    await expect(openDevice({ device: 'tpu' as 'cpu' })).rejects.toThrow(
      'openDevice[device]: expected auto, cpu, cuda or cuda:1, got "tpu"',
    )
    await expect(openDevice({ threads: -1 })).rejects.toThrow(
      'openDevice[threads]: expected a whole number from 0 to 4096, got -1',
    )
  })
})

describe('Program', () => {
  it('computes, updates its state, and leaves the feed free at once', async () => {
    await w.write(new Float32Array(n).fill(1))
    const x = new Float32Array(n).fill(3)
    const first = program.run({ x })
    x.fill(10)
    const second = program.run({ x })
    expect((await first)['y']?.[n - 1]).toBe(7)
    expect((await second)['y']?.[0]).toBe(27)
    const state = new Float32Array(n)
    await w.read(state)
    expect(state[5]).toBe(27)
    expect(program.stats()).toMatchObject({ runs: 2 })
  })

  it.each([
    [new Uint8Array(12), 'run[doubling]: feed x: expected Float32Array of 100352 elements, got Uint8Array of 12'],
    [new Float32Array(7), 'run[doubling]: feed x: expected Float32Array of 100352 elements, got Float32Array of 7'],
    ['x' as unknown as Float32Array, 'run[doubling]: feed x: expected Float32Array of 100352 elements, got a string'],
  ])('refuses a wrong feed', async (x, message) => {
    await expect(program.run({ x })).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message })
  })

  it('refuses a fetch whose array went away during the run', async () => {
    const y = new Float32Array(n)
    const run = program.run({ x: new Float32Array(n) }, { y })
    structuredClone(y, { transfer: [y.buffer] })
    await expect(run).rejects.toThrow('run[doubling]: fetch y when the run ended: expected Float32Array of 100352')
  })

  it('refuses a label outside the classes, and goes on', async () => {
    const loss = await device.compile(labelLoss(2, 3), [])
    const logits = new Float32Array(6)
    await expect(loss.run({ logits, labels: Int32Array.of(0, 3) })).rejects.toMatchObject({
      name: 'DeviceError',
      code: 'ERR_DATA',
    })
    const { loss: values } = await loss.run({ logits, labels: Int32Array.of(0, 2) })
    expect(values?.[1]).toBeCloseTo(Math.log(3), 5)
  })
})

describe('what is asked while a run is under way', () => {
  it('is answered at once: counters, facts and memory', async () => {
    await using one = await openDevice({ device: 'cpu', threads: 1 })
    const n = 1024
    const long = await one.compile(products(n, 24), [])
    const run = long.run({ x: new Float32Array(n * n) }, {})
    await setTimeout(20) // it is under way
    expect(one.info()['backend']).toBe('cpu')
    one.alloc({ name: 'v', dtype: 'f32', shape: [4] }).dispose()
    expect(long.stats().runs).toBe(0)
    await run
    expect(long.stats().runs).toBe(1)
  })
})

describe('compile', () => {
  it('refuses text and buffers that do not fit', async () => {
    await expect(device.compile('{', [])).rejects.toMatchObject({ code: 'ERR_PROGRAM' })
    await expect(device.compile(doubling(n), [])).rejects.toThrow('compile[doubling]: expected 1 state buffers, got 0')
    await expect(device.compile(doubling(4), [w])).rejects.toThrow(
      'state w: expected a buffer of f32[4], got f32[100352]',
    )
    const twice = JSON.parse(doubling(n)) as { feeds: object[]; states: object[] }
    Object.assign(twice, { states: [...twice.feeds, ...twice.states], feeds: [] })
    await expect(device.compile(JSON.stringify(twice), [w, w])).rejects.toThrow(
      'state w: expected a buffer of its own, got w twice',
    )
    await using other = await openDevice({ device: 'cpu' })
    await expect(other.compile(doubling(n), [w])).rejects.toThrow('got one of another Device')
  })
})

describe('dispose', () => {
  it('ends runs under way, then refuses', async () => {
    const own = await openDevice({ device: 'cpu' })
    const state = own.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    const doubled = await own.compile(doubling(n), [state])
    const x = new Float32Array(n).fill(1)
    const runs = [doubled.run({ x }), doubled.run({ x })]
    const disposed = own.dispose()
    await expect(doubled.run({ x })).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await disposed
    expect((await runs[1])?.['y']?.[0]).toBe(4)
    expect(() => own.info()).toThrow('expected a device in use')
    await expect(state.read(x)).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await own.dispose()
  })

  it('frees a program and a buffer while a run is under way', async () => {
    const state = device.alloc({ name: 'w', dtype: 'f32', shape: [n] })
    const doubled = await device.compile(doubling(n), [state])
    const run = doubled.run({ x: new Float32Array(n).fill(1) })
    doubled.dispose()
    state.dispose()
    expect((await run)['y']?.[0]).toBe(2)
    await expect(doubled.run({ x: new Float32Array(n) })).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    await expect(state.write(new Float32Array(n))).rejects.toMatchObject({ code: 'ERR_DISPOSED' })
    doubled.dispose()
  })
})
