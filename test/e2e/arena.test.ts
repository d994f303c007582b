// All programs of a device use one arena in turn, as large as the largest of them needs; where it grows, shrinks or
// cannot be had, no result changes.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addonPath, type Device, openDevice, type Program } from '../../lib/runtime/index.js'
import { run } from '../support/command-line.js'
import { backends } from '../support/native.js'
import { products } from '../support/tiny-program.js'

const backend = (process.env['OSTRICH_TEST_DEVICE'] ?? 'cpu') as 'cpu' | 'cuda'
const missingOf = (backend: string) => backends().find(({ name }) => name === backend)?.reason
const sizes = [8, 16, 24, 32, 40, 48, 56, 64, 72, 80]

/** x rotates the axes of n dimensions by one place, so that its fifth power rotates them by five; a run from x must give that. */
async function expectRight(program: Program): Promise<void> {
  const n = program.feeds[0]!.shape[0]!
  const rotation = (places: number) => {
    const matrix = new Float32Array(n * n)
    for (let row = 0; row < n; row++) matrix[row * n + ((row + places) % n)] = 1
    return matrix
  }
  expect(await program.run({ x: rotation(1) })).toEqual({ y: rotation(5) })
}

describe.skipIf(missingOf(backend) !== undefined)(`the arena of the programs on ${backend}`, () => {
  let device: Device
  beforeAll(async () => {
    device = await openDevice({ device: backend, threads: 2 })
  })
  afterAll(() => device.dispose())

  const compile = (n: number): Promise<Program> => device.compile(products(n, 4), [])
  const needs = (programs: readonly Program[]) => programs.map((program) => program.stats().arenaBytes)
  const held = (program: Program) => program.stats().sharedArenaBytes

  it('is as large as the largest needs, and grows under runs that are under way', async () => {
    const programs: Program[] = []
    const runs: Promise<void>[] = []
    for (const n of sizes) {
      programs.push(await compile(n))
      for (const program of programs) runs.push(expectRight(program))
    }
    await Promise.all(runs)
    const bytes = needs(programs)
    expect(new Set(bytes).size).toBe(sizes.length)
    expect(held(programs[0]!)).toBe(Math.max(...bytes))
    for (const program of programs) program.dispose()
  })

  it('becomes smaller when the largest goes, and is had again after that', async () => {
    const [small, large] = [await compile(16), await compile(80)]
    await Promise.all([expectRight(small), expectRight(large), expectRight(small)])
    const [few, many] = needs([small, large])
    expect(few).toBeLessThan(many!)
    expect(held(small)).toBe(many)
    large.dispose()
    await expectRight(small)
    expect(held(small)).toBe(few)
    small.dispose()
    const again = await compile(24)
    await expectRight(again)
    expect(held(again)).toBe(again.stats().arenaBytes)
    again.dispose()
  })

  it('is as it was after a program that is too large for the device', async () => {
    const limited = backend === 'cuda' ? 4 << 20 : undefined
    const side = limited === undefined ? 500_000 : 1024
    await using other = await openDevice({ device: backend, threads: 1, ...(limited && { memoryLimit: limited }) })
    const program = await other.compile(products(8, 4), [])
    await expectRight(program)
    await expect(other.compile(products(side, 4), [])).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' })
    await Promise.all([expectRight(program), expectRight(program)])
    expect(held(program)).toBe(program.stats().arenaBytes)
  })
})

describe.skipIf(missingOf('cpu') !== undefined)('V8', () => {
  it('is told of the arena once, as it grows and shrinks, and of what each run holds', async () => {
    const programs = sizes.map((n) => ({ text: products(4 * n, 4), elements: (4 * n) ** 2 }))
    const script = fileURLToPath(new URL('children/told.mjs', import.meta.url))
    const flags = ['--expose-gc', '--trace-gc', '--trace-gc-verbose']
    const { out, err } = await run('.', process.execPath, [...flags, script, addonPath(), JSON.stringify(programs)])
    // Of each collection that was asked for; V8 says more of others.
    const told = out
      .split(/testing; GC in old space requested/)
      .slice(1)
      .map((text) => 1024 * Number(/External memory reported: *(-?\d+) KB/.exec(text)?.[1]))
    const arenas = JSON.parse(err) as number[]
    /** The feed and the fetch of a run, kept for the next one. */
    const kept = programs.map(({ elements }) => 2 * 4 * elements)
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    const runs = [0, 0, sum(kept), sum(kept.slice(0, -1)), 0]
    expect(arenas[1]).toBeGreaterThan(4 * programs.at(-1)!.elements)
    expect(arenas[3]).toBeLessThan(arenas[1]! - 64 * 1024)
    expect(told).toHaveLength(5)
    for (const [i, bytes] of told.entries()) {
      expect(Math.abs(bytes - told[0]! - arenas[i]! - runs[i]!), `at collection ${i}`).toBeLessThan(16 * 1024)
    }
  })
})
