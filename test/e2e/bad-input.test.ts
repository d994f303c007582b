// What a session is given and cannot use: refused in words that say where, what was expected and what came.
import { describe, expect, it } from 'vitest'
import { arrays, DataError } from '../../lib/data/index.js'
import { read, type Tensor, Variable } from '../../lib/graph/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import * as optim from '../../lib/optim/index.js'
import { session, type SessionOptions } from '../../lib/train/index.js'
import { main } from '../support/command-line.js'
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
    [
      { data: arrays({ x: { data: new Float32Array(16 * 64), shape: [1, side, side] } }) },
      /session\[data\]: expected a field target, got x/,
    ],
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

  it('of a generator ends with its first epoch, which is said', async () => {
    const { fields } = images(8)
    const batch = () => ({ x: new Uint8Array(16 * 64), target: new Int32Array(16) })
    function* once() {
      yield batch()
    }
    const ended =
      /^session\[data\.train\]: epoch 2: expected batches, got an iterable that has ended, .*\(epoch\) => batches\(epoch\)/
    await using(perceptron(), { data: { train: once(), fields }, epochs: 2 }, (run) =>
      expect(run.run()).rejects.toThrow(ended),
    )
    const validation = { train: () => once(), validation: once(), fields }
    await using(perceptron(), { data: validation, epochs: 2 }, (run) =>
      expect(run.run()).rejects.toThrow(
        /^session\[data\.validation\]: epoch 1: expected batches, got an iterable that has ended/,
      ),
    )
    await using(perceptron(), { data: { train: () => once(), fields }, epochs: 2 }, (run) => run.run())
  })

  it('in batches that are all short is an error that says so', async () => {
    const train = [{ x: new Uint8Array(3 * 64), target: new Int32Array(3) }]
    await using(perceptron(), { data: { train, fields: images(8).fields } }, (run) =>
      expect(run.run()).rejects.toThrow('epoch 1: expected batches of 16 examples, got none with more than 3'),
    )
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
    [{ deterministic: 'yes' as never }, 'session[deterministic]: expected true or false, got "yes"'],
    [{ epoch: 3 } as never, 'got epoch (did you mean epochs?)'],
    [{ optimiser: 1 } as never, 'got optimiser (did you mean optimizer?)'],
    [
      { optimizer: undefined as never },
      'session[optimizer]: expected an optimizer, such as optim.sgd({ rate: 0.1 }), got undefined',
    ],
    [
      { optimizer: 'sgd' as never },
      'session[optimizer]: expected an optimizer, such as optim.sgd({ rate: 0.1 }), got "sgd"',
    ],
    [{ batch: '16' as never }, 'session[batch]: expected a whole number of at least 1, got "16"'],
    [{ inputs: { x: 1 } as never }, 'session[inputs]: expected a function for each field, got an object with x'],
    [
      { measures: { top1: 'top1' } as never },
      'session[measures]: expected measures by name, such as { accuracy: measures.accuracy }, got an object with top1',
    ],
    [{ monitor: 'acuracy' }, 'session[monitor]: expected one of loss, accuracy, got acuracy (did you mean accuracy?)'],
    [{ monitor: 'loss' }, 'session[monitor]: expected validation data to measure loss on, got none'],
    [{ patience: 3 }, 'session[patience]: expected a measure to monitor beside it, got none'],
    [{ metrics: ['top5'] } as never, 'got metrics'],
    [
      { checkpointEvery: { step: 1 } as never },
      'session[checkpointEvery]: expected the options steps, seconds, got step',
    ],
    [
      { data: undefined as never },
      'session[data]: expected a data set, a text or { train, validation }, got undefined',
    ],
    [{ data: { train: images(8), valid: images(8) } as never }, 'got valid (did you mean validation?)'],
    [
      { data: { train: [], fields: { x: { dtyp: 'f32' } } } as never },
      'session[data.fields.x]: expected the options dtype',
    ],
    [{ folder: main }, `session[folder]: expected a folder, got the file ${main}`],
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
    await expect(open(wrong)).rejects.toThrow(
      /^linear\[linear1\]: expected x of f32\[\.\.\., 100\], got f32\[16, 64\] \(at .*bad-input\.test\.ts:\d+:\d+\)$/,
    )
  })

  it('without parameters is refused', async () => {
    await expect(open(nn.flatten())).rejects.toThrow(/expected a network that reads parameters/)
  })

  it('whose loss is no scalar is refused', async () => {
    await expect(open(perceptron(), { loss: ((output: Tensor) => output) as never })).rejects.toThrow(
      /session\[loss\]: expected an f32 scalar, got f32\[16, 5\]/,
    )
  })

  it('that is async is refused, and so is a loss that gives a number', async () => {
    const lost = async () => Promise.reject(new Error('never heard'))
    await expect(open(lost)).rejects.toThrow(
      'session[net]: expected a tensor, got a promise: what is traced must not be async',
    )
    await expect(open(() => undefined)).rejects.toThrow('session[net]: expected a tensor, got undefined')
    await expect(open(perceptron(), { loss: (() => 1) as never })).rejects.toThrow(
      'session[loss]: expected a tensor, got 1',
    )
    await expect(open('net')).rejects.toThrow('session[net]: expected a function of tensors, got "net"')
  })

  it('whose labels are bytes is refused with what to give', async () => {
    const { x } = images(16).fields
    const given = { x: { data: new Uint8Array(16 * 64), shape: x.shape }, target: new Uint8Array(16) }
    await expect(open(perceptron(), { data: arrays(given) })).rejects.toThrow(
      /crossEntropy: expected labels of i32\[16\], got f32\[16\]; the field target is u8, .*give labels as an Int32Array/,
    )
  })

  it('compiled for anything but tensors is refused', async () => {
    await using(perceptron(), {}, async (run) => {
      const compile = (...given: unknown[]) =>
        (run.compile as (...all: unknown[]) => Promise<unknown>).apply(run, given)
      const same = (x: Tensor) => ({ x })
      await expect(compile(same, { x: [1] }, { mod: 'train' })).rejects.toThrow('got mod (did you mean mode?)')
      await expect(compile(same, { x: 1 })).rejects.toThrow(
        'compile[x]: expected a list of extents or { dtype, shape }, got 1',
      )
      await expect(compile('same', { x: [1] })).rejects.toThrow('compile[fn]: expected a function, got "same"')
      await expect(compile(async () => Promise.resolve({}), {})).rejects.toThrow(
        'returns tensors by name, got a promise',
      )
      await expect(compile((x: Tensor) => x, { x: [1] })).rejects.toThrow('got an object of Tensor')
      await expect(run.save(1 as never)).rejects.toThrow('save[path]: expected a text, got 1')
      await expect(run.evaluate(undefined, 0)).rejects.toThrow(
        'evaluate[batch]: expected a whole number of at least 1, got 0',
      )
    })
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
