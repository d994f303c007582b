// The solvers over the weights of a session: rows minimised together on a device, against `lbfgsb` of each alone.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { grad } from '../../lib/autodiff/index.js'
import type { Tensor } from '../../lib/graph/index.js'
import * as ops from '../../lib/ops/index.js'
import { lbfgsb } from '../../lib/optim.js'
import { fgsm, lbfgsAttack, pgd, rowMinimizer } from '../../lib/solvers/index.js'
import { classes, images, perceptron, side, using } from './tasks.js'

const size = side * side
const rows = 24
const c = 0.05

type Rows = Tensor<'f32', [number, number]>
type Labels = Tensor<'i32', [number]>

/** Images of the validation set in [0, 1], and for each a class that is not its own. */
async function examples(): Promise<{ x: Float32Array; target: Int32Array }> {
  const bytes = new Uint8Array(rows * size)
  const target = new Int32Array(rows)
  await images(rows, 9).gather(
    Uint32Array.from({ length: rows }, (_, i) => i),
    { x: bytes, target },
  )
  return { x: Float32Array.from(bytes, (v) => v / 255), target: target.map((label) => (label + 1) % classes) }
}

const options = {
  shape: [rows, size],
  bounds: { lower: 0, upper: 1 },
  given: { image: [rows, size], target: { dtype: 'i32', shape: [rows] } },
} as const

test('rows find images of another class as near as lbfgsb does', { timeout: 120_000 }, async () => {
  const net = perceptron() as (x: Rows) => Rows
  await using(net, { epochs: 6 }, async (session) => {
    await session.run()
    const { x, target } = await examples()
    const objective = (z: Rows, { image, target: goal }: { image: Rows; target: Labels }) =>
      ops.add(ops.mul(ops.sum(ops.square(ops.sub(z, image)), 1), c), ops.crossEntropy(net(z), goal))
    const alone = await session.compile(
      (z: Rows, image: Rows, goal: Labels) => {
        const value = ops.sum(objective(z, { image, target: goal }))
        return { value, gradient: grad(value, z) }
      },
      { z: [1, size], image: [1, size], goal: { dtype: 'i32', shape: [1] } },
    )
    using minimizer = await rowMinimizer(session, objective, options)
    const found = await minimizer.run(x, { image: x, target })
    const distance = (z: ArrayLike<number>, row: number) =>
      Math.sqrt(Array.from(z).reduce((sum, v, i) => sum + (v - x[row * size + i]!) ** 2, 0) / size)
    let [together, apart] = [0, 0]
    for (let row = 0; row < rows; row++) {
      const image = x.slice(row * size, (row + 1) * size)
      const goal = target.slice(row, row + 1)
      const f = async (z: Float64Array) => {
        const { value, gradient } = await alone.run({ z: Float32Array.from(z), image, goal })
        return { value: value[0]!, gradient }
      }
      const one = await lbfgsb(f, image, { lower: 0, upper: 1 }, { valueTolerance: 1e-7 })
      // A relu network is not smooth: both may stop at a kink, each at its own.
      expect(found.value[row]! - one.value, `row ${row}`).toBeLessThan(2e-3)
      together += distance(found.x.subarray(row * size, (row + 1) * size), row) / rows
      apart += distance(one.x, row) / rows
    }
    expect(together).toBeLessThan(apart * 1.005)
    expect(together).toBeGreaterThan(0.01)
    expect(found.status).not.toContain('evaluations')
    expect(Math.min(...found.x)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...found.x)).toBeLessThanOrEqual(1)
  })
})

test('a solver leaves the checkpoint of its session alone', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ostrich-solvers-'))
  try {
    const net = perceptron() as (x: Rows) => Rows
    await using(net, {}, async (session) => {
      await session.save(join(folder, 'before'))
      using minimizer = await rowMinimizer(session, (x: Rows) => ops.sum(ops.square(net(x)), 1), { shape: [3, size] })
      await minimizer.run(new Float32Array(3 * size))
      await session.save(join(folder, 'after'))
      minimizer.dispose()
      await session.save(join(folder, 'freed'))
      const before = await readFile(join(folder, 'before'))
      expect((await readFile(join(folder, 'after'))).equals(before)).toBe(true)
      expect((await readFile(join(folder, 'freed'))).equals(before)).toBe(true)
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test(
  'attacks on a network reach other classes, the nearest one nearer than a step of its size',
  { timeout: 120_000 },
  async () => {
    const net = perceptron() as (x: Rows) => Rows
    await using(net, { epochs: 6 }, async (session) => {
      await session.run()
      const { x, target } = await examples()
      const shape = [rows, size]
      const labelled = async (images: Float32Array, labels: Int32Array) => {
        const logits = (await session.predict(images, { prepared: true })) as Float32Array
        const best = (row: number) => {
          const own = Array.from(logits.subarray(row * classes, (row + 1) * classes))
          return own.indexOf(Math.max(...own))
        }
        return labels.reduce((count, label, row) => count + (best(row) === label ? 1 : 0), 0)
      }
      using nearest = await lbfgsAttack(session, net, { shape, rounds: 8 })
      const found = await nearest.run(x, target)
      expect([...found.reached]).toEqual(Array.from({ length: rows }, () => 1))
      expect(await labelled(found.x, target)).toBe(rows)
      const distortion = found.distortion.reduce((sum, d) => sum + d, 0) / rows
      using step = await fgsm(session, net, { shape, epsilon: distortion, targeted: true })
      using steps = await pgd(session, net, { shape, epsilon: distortion, steps: 10, targeted: true })
      const [one, many] = [
        await labelled(await step.run(x, target), target),
        await labelled(await steps.run(x, target), target),
      ]
      expect(one).toBeLessThan(rows)
      expect(many).toBeGreaterThanOrEqual(one)
      // The smallest c that fails is above the largest that does not: another round may only come nearer.
      using short = await lbfgsAttack(session, net, { shape, rounds: 4 })
      const rough = await short.run(x, target)
      for (let row = 0; row < rows; row++) {
        if (rough.reached[row] === 1) expect(found.distortion[row]).toBeLessThanOrEqual(rough.distortion[row]! + 1e-6)
      }
    })
  },
)
