// What a session is given and cannot use: refused in words that say where, what was expected and what came.
import { describe, expect, it } from 'vitest'
import { arrays, DataError } from '../../lib/data/index.js'
import { read, type Tensor, Variable } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { session, type SessionOptions } from '../../lib/train/index.js'
import { images, losses, options, perceptron, side, using } from './tasks.js'

const open = (net: unknown, more: Partial<SessionOptions> = {}) => session(net as never, options(more))

describe('a loss that is not finite', () => {
  it('stops the run with the step and the first parameter that is not finite', async () => {
    const failure: unknown = await losses(perceptron(), { optimizer: optim.sgd({ rate: 1e30 }), epochs: 3 }).catch(
      (e: unknown) => e,
    )
    expect(failure).toMatchObject({ code: 'ERR_NOT_FINITE' })
    expect((failure as Error).message).toMatch(
      /^step \d+: expected a finite loss, got \S+; the first parameter that is not is linear\d\/[wb] \(element \d+\)$/,
    )
  })

  it('says so where all parameters are finite', async () => {
    const loss = (output: Tensor<'f32'>, target: Tensor<'i32'>) => {
      const mean = nn.crossEntropy(output, target)
      return ops.add(mean, ops.stopGradient(ops.log(ops.sub(mean, 1e6))))
    }
    await using(perceptron(), { loss }, (run) =>
      expect(run.run()).rejects.toThrow('step 1: expected a finite loss, got NaN; all parameters are finite'),
    )
  })
})

describe('data', () => {
  it('with a label outside the classes stops at its step', async () => {
    const target = new Int32Array(64)
    target[40] = 5
    const data = arrays({ x: { data: new Uint8Array(64 * side * side), shape: [1, side, side] }, target })
    await using(perceptron(), { data, shuffle: false }, async (run) => {
      await expect(run.run()).rejects.toMatchObject({
        code: 'ERR_DATA',
        message: expect.stringMatching(/^step 3: .*5/) as string,
      })
    })
  })

  it.for([
    [{ data: arrays({ x: new Float32Array(8) }) }, /expected fields x and target, got x/],
    [{ data: images(8), batch: 16 }, /at most 8/],
    [{ data: 7 as never }, /expected a data set/],
    [{ data: { train: [] } }, /session\[data\.fields\]/],
  ] as const)('%# is refused', async ([more, message]) => {
    const failure: unknown = await open(perceptron(), more).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DataError)
    expect((failure as Error).message).toMatch(message)
  })

  it('that ends before the first batch is an error, not a success', async () => {
    const data = { train: [], fields: images(8).fields }
    await using(perceptron(), { data }, (run) =>
      expect(run.run()).rejects.toThrow(/epoch 1: expected at least one batch, got none/),
    )
  })

  it.for([
    [{ x: new Uint8Array(64) }, /target/],
    [{ x: new Uint8Array(64), target: new Int32Array(1), more: new Int32Array(1) }, /more/],
    [{ x: new Float32Array(64), target: new Int32Array(1) }, /expected Uint8Array, got Float32Array/],
    [{ x: new Uint8Array(63), target: new Int32Array(1) }, /64 elements per example/],
    [{ x: new Uint8Array(128), target: new Int32Array(1) }, /expected 2 examples/],
  ] as const)('of a user’s batch is checked (%#)', async ([batch, message]) => {
    const data = { train: [batch] as never, fields: images(8).fields }
    await using(perceptron(), { data }, (run) => expect(run.run()).rejects.toThrow(message))
  })

  it('that fails while it is read fails the run with its own error', async () => {
    function* broken() {
      yield { x: new Uint8Array(16 * 64), target: new Int32Array(16) }
      throw new RangeError('the camera is off')
    }
    const data = { train: broken(), fields: images(8).fields }
    await using(perceptron(), { data }, (run) => expect(run.run()).rejects.toThrow('the camera is off'))
  })
})

describe('options', () => {
  it.for([
    [{ batch: 0 }, 'session[batch]: expected a whole number of at least 1, got 0'],
    [{ batch: 1.5 }, 'session[batch]'],
    [{ epochs: -1 }, 'session[epochs]'],
    [{ seed: NaN }, 'session[seed]'],
    [{ threads: -1 }, 'session[threads]'],
    [{ device: 'gpu' as never }, 'session[device]: expected auto, cpu, cuda or cuda:1, got "gpu"'],
    [{ precision: 'f16' as never }, 'session[precision]: expected auto, f32, tf32, bf16, got "f16"'],
    [{ device: 'cuda:x' as never }, 'session[device]: expected auto, cpu, cuda or cuda:1, got "cuda:x"'],
    [{ memoryLimit: 0.5 }, 'session[memoryLimit]: expected a whole number of at least 0, got 0.5'],
    [{ deterministic: 'yes' as never }, 'session[deterministic]: expected true, false, got "yes"'],
    [{ loss: undefined as never }, 'session[loss]: expected a function of tensors, got undefined'],
  ] as const)('%o', async ([more, message]) => {
    const failure: unknown = await open(perceptron(), more).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_OPTION' })
    expect((failure as Error).message).toContain(message)
  })

  it('cuda where there is none: reason and remedy', async () => {
    const found = await open(perceptron(), { device: 'cuda' }).then(
      (run) => run.dispose(),
      (error: unknown) => error,
    )
    if (found !== undefined)
      expect(found).toMatchObject({
        code: 'ERR_NO_DEVICE',
        message: expect.stringMatching(/cuda.*use device: 'cpu'/) as string,
      })
  })
})

describe('a network', () => {
  it('that does not fit the data is refused with path, extents and the line of the user', async () => {
    const wrong = nn.sequential(nn.flatten(), nn.linear(100, 5))
    await expect(open(wrong)).rejects.toThrow(/linear\[linear1\]: expected x of f32\[\.\.\., 100\], got f32\[16, 64\]/)
  })

  it('without parameters is refused', async () => {
    await expect(open(nn.flatten())).rejects.toThrow(/expected a network that reads parameters/)
  })

  it('whose loss is no scalar is refused', async () => {
    await expect(open(perceptron(), { loss: ((output: Tensor) => output) as never })).rejects.toThrow(
      /session\[loss\]: expected an f32 scalar, got f32\[16, 5\]/,
    )
  })

  it('may be a closure over variables of the user’s own', async () => {
    const w = new Variable<'f32', [64, 5]>({
      label: 'w',
      dtype: 'f32',
      shape: [64, 5],
      role: 'parameter',
      init: () => ops.zeros([64, 5]),
    })
    const net = (x: Tensor<'f32'>) => ops.matmul(ops.reshape(x, [-1, 64]) as Tensor<'f32', [number, 64]>, read(w))
    const curve = await losses(net, { epochs: 3 })
    expect(curve[0]).toBeCloseTo(Math.log(5), 5)
    expect(curve.at(-1)!).toBeLessThan(curve[0]!)
  })
})
