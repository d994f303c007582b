// Random draws of compiled functions: others at each run, the same again in another session of the same seed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import { assign, read, type Tensor } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import { load } from '../../lib/infer/index.js'
import { type Session } from '../../lib/train/index.js'
import { perceptron, side, using } from './tasks.js'

const length = 64
const drop = nn.dropout(0.5)
const body = (x: Tensor<'f32', [64]>) => ({
  normal: ops.randomNormal([length]),
  uniform: ops.randomUniform([length]),
  kept: drop(ops.add(x, 1)),
})
const x = new Float32Array(length)

/** What three runs of a compiled function draw, a run of another between the first two. */
async function drawn(run: Pick<Session, 'compile'>) {
  const noise = await run.compile(body, { x: [length] }, { mode: 'train' })
  const other = await run.compile(body, { x: [length] }, { mode: 'train' })
  const all = [await noise.run({ x }), await other.run({ x }), await noise.run({ x }), await noise.run({ x })]
  noise.dispose()
  other.dispose()
  return all
}

it('are others at each run of each function, the mask of dropout too', async () => {
  await using(perceptron(), {}, async (run) => {
    const all = [...(await drawn(run)), ...(await drawn(run))]
    for (const name of ['normal', 'uniform', 'kept'] as const) {
      expect(new Set(all.map((one) => one[name].join())).size, name).toBe(all.length)
    }
    for (const { kept } of all) expect(new Set(kept)).toEqual(new Set([0, 2]))
    const mean =
      all.flatMap(({ uniform }) => [...uniform]).reduce((sum, value) => sum + value, 0) / (all.length * length)
    expect(mean).toBeCloseTo(0.5, 1)
  })
})

it('are the same again by the same seed, whatever is trained or measured between them, and others by another', async () => {
  const first = await using(perceptron(), {}, (run) => drawn(run))
  const again = await using(perceptron(), {}, async (run) => {
    await run.run()
    await run.evaluate()
    return drawn(run)
  })
  expect(again).toEqual(first)
  expect(await using(perceptron(), { seed: 2 }, (run) => drawn(run))).not.toEqual(first)
})

it('of calls that overlap are those of calls one after the other', async () => {
  const alone = await using(perceptron(), {}, async (run) => {
    const noise = await run.compile(body, { x: [length] }, { mode: 'train' })
    return [await noise.run({ x }), await noise.run({ x })]
  })
  const both = await using(perceptron(), {}, async (run) => {
    const noise = await run.compile(body, { x: [length] }, { mode: 'train' })
    return Promise.all([noise.run({ x }), noise.run({ x })])
  })
  expect(both).toEqual(alone)
})

it('draw the same mask forward and backward, and another at the next step of a loop by hand', async () => {
  await using(perceptron(), {}, async (run) => {
    const step = await run.compile(
      (x: Tensor<'f32', [64]>) => {
        const y = ops.dropout(x, 0.5)
        return { y, gradient: grad(ops.sum(y), x) }
      },
      { x: [length] },
      { mode: 'train' },
    )
    const ones = new Float32Array(length).fill(1)
    const [one, two] = [await step.run({ x: ones }), await step.run({ x: ones })]
    expect(one.gradient).toEqual(one.y)
    expect(two.gradient).toEqual(two.y)
    expect(two.y).not.toEqual(one.y)
  })
})

it('go on from a checkpoint as in the session that wrote it, and begin anew in a loaded model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ostrich-draws-'))
  const path = join(folder, 'one.safetensors')
  try {
    const [begun, rest] = await using(perceptron(), {}, async (run) => {
      const begun = await drawn(run)
      await run.save(path)
      return [begun, await drawn(run)]
    })
    await using(perceptron(), {}, async (run) => {
      await run.resume(path)
      expect(await drawn(run)).toEqual(rest)
    })
    await using model = await load(path, perceptron(), { device: 'cpu' })
    expect(await drawn(model)).toEqual(begun)
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('of a function that counts training steps itself are others at each run too', async () => {
  await using(perceptron(), {}, async (run) => {
    const step = await run.compile(
      (x: Tensor<'f32', [64]>) => {
        assign(ops.step, ops.add(read(ops.step), 1))
        return { y: ops.add(x, ops.randomNormal([length])) }
      },
      { x: [side * side] },
    )
    const seen = [await step.run({ x }), await step.run({ x }), await step.run({ x })]
    expect(new Set(seen.map(({ y }) => y.join())).size).toBe(3)
  })
})
