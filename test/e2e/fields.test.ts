// What the numbers of a field stand for: a checkpoint says it, and who measures or loads a network by other numbers is refused.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrays, DataError } from '../../lib/data/index.js'
import { constant, type Tensor } from '../../lib/graph/index.js'
import { lstmLm } from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as optim from '../../lib/optim/index.js'
import * as ops from '../../lib/ops/index.js'
import { openSafetensors, writeSafetensors } from '../../lib/files/index.js'
import { load } from '../../lib/infer/index.js'
import { type Inputs, inspectCheckpoint } from '../../lib/train/index.js'
import { config, text, using as language, vocabulary } from '../support/small-language.js'
import { classes, images, options, perceptron, side, using } from './tasks.js'

const pixels = side * side
const device = options().device ?? 'auto'
const names = ['left', 'middle', 'right', 'edge', 'none']
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-fields-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** The small images as bytes, and as floats of a scale. */
async function both(length: number, scale: number) {
  const [bytes, target] = [new Uint8Array(length * pixels), new Int32Array(length)]
  await images(length).gather(
    Array.from({ length }, (_, i) => i),
    { x: bytes, target },
  )
  const x = Float32Array.from(bytes, (value) => value * scale)
  return { bytes, x, floats: arrays({ x: { data: x, shape: [1, side, side] }, target }) }
}

/** Bytes to about [-2, 2]. */
const centred = (level: number): Inputs => ({ x: (x: Tensor) => ops.div(ops.sub(ops.cast(x, 'f32'), level), 60) })

describe('measuring', () => {
  it('has a program for each shape of a field, and none for a field of another kind', async () => {
    const set = (target: Int32Array | Float32Array) => arrays({ x: { data: new Float32Array(4), shape: [1] }, target })
    const loss = (output: Tensor, target: Tensor) =>
      ops.mean(ops.square(ops.sub(ops.mul(ops.reshape(output as Tensor<'f32'>, [-1]), 0), ops.cast(target, 'f32'))))
    const whole = set(Int32Array.of(0, 1, 2, 3))
    await using(nn.linear(1, 1), { data: whole, loss, batch: 4 }, async (run) => {
      expect((await run.evaluate(whole)).loss).toBeCloseTo(14 / 4, 6)
      await expect(run.evaluate(set(Float32Array.of(0.5, 1.5, 2.5, 3.5)))).rejects.toThrow(
        'evaluate[data][target]: expected Int32Array, as the network was trained on i32, got Float32Array',
      )
    })
  })

  it('of floats by a network of bytes is refused, in training data, in validation data and later', async () => {
    const { floats } = await both(32, 1 / 255)
    const message = /\[x\]: expected Uint8Array, as the network was trained on u8, got Float32Array/
    await using(perceptron(), {}, async (run) => {
      await expect(run.evaluate(floats)).rejects.toThrow(DataError)
      await expect(run.evaluate(floats)).rejects.toThrow(message)
    })
    const data = { train: images(64), validation: floats }
    await expect(using(perceptron(), { data }, (run) => run.run())).rejects.toThrow(message)
  })
})

describe('a field that nothing reads', () => {
  const target = new Int32Array(32)
  const x = { data: new Uint8Array(32 * pixels), shape: [1, side, side] }

  it('is named, in training, in validation data and in what is measured later', async () => {
    const weighted = arrays({ x, target, weight: new Float32Array(32) })
    const plain = arrays({ x, target })
    const message = /\[weight\]: expected fields that the objective reads \(x, target\), got weight too.*leave it out/
    await expect(using(perceptron(), { data: weighted }, (run) => run.run())).rejects.toThrow(message)
    const data = { train: plain, validation: weighted }
    await expect(using(perceptron(), { data }, (run) => run.run())).rejects.toThrow(message)
    await using(perceptron(), { data: plain }, async (run) => {
      await expect(run.evaluate(weighted)).rejects.toThrow(message)
      await expect(run.evaluate(arrays({ x }))).rejects.toThrow('evaluate[data]: expected fields x, target, got x')
    })
  })

  it('called fresh says which streams begin anew, as f32 []', async () => {
    const data = arrays({ x, target, fresh: new Int32Array(32) })
    await expect(using(perceptron(), { data }, (run) => run.run())).rejects.toThrow(
      'session[data][fresh]: expected f32[], got i32[]',
    )
  })
})

describe('predicting', () => {
  it('takes what the network was trained on, or says that it is prepared', async () => {
    const { bytes, x } = await both(8, 1 / 255)
    await using(perceptron(), {}, async (run) => {
      const wanted = await run.predict(bytes)
      await expect(run.predict(x)).rejects.toThrow(
        /predict\[x\]: expected Uint8Array, as the network was trained on u8, got Float32Array \(say \{ prepared: true \}/,
      )
      await expect(run.predict(Int32Array.from(bytes))).rejects.toThrow(/got Int32Array$/)
      await expect(run.predict(bytes, { prepared: true })).rejects.toThrow('expected a Float32Array, as it is prepared')
      const prepared = await run.predict(x, { prepared: true })
      for (const [i, value] of prepared.entries()) expect(value).toBeCloseTo(wanted[i]!, 4)
    })
  })
})

describe('a language model', () => {
  it('reads prepared tokens when it measures single ones and when it writes', async () => {
    const path = join(folder, 'language.safetensors')
    const inputs: Inputs = { x: (x) => ops.sub(vocabulary - 1, x) }
    const wanted = await language({ inputs, epochs: 6, optimizer: optim.adam({ rate: 0.01 }) }, async (run) => {
      await run.run()
      await run.save(path)
      return run.evaluate(text, 1)
    })
    await using model = await load(path, lstmLm(config), { device, inputs })
    const losses = await model.tokenLosses(text)
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(wanted.loss, 4)
    const sampler = await model.sampler({ probabilities: true })
    const { logProbabilities } = await sampler.step(text.tokens.slice(0, 1))
    expect(-logProbabilities![text.tokens[1]!]!).toBeCloseTo(losses[0]!, 4)
  })
})

describe('a checkpoint', () => {
  const saved = async (name: string, inputs?: Inputs) => {
    const path = join(folder, `${name}.safetensors`)
    const { bytes } = await both(8, 1)
    const data = { train: images(160), classes: names }
    const wanted = await using(perceptron(), { data, ...(inputs && { inputs }) }, async (run) => {
      await run.run()
      await run.save(path)
      return run.predict(bytes)
    })
    return { path, bytes, wanted }
  }

  it('holds fields, preparation and names of classes', async () => {
    const { path } = await saved('content', centred(100))
    const info = await inspectCheckpoint(path)
    expect(info?.fields['x']).toEqual({ dtype: 'u8', shape: [1, side, side] })
    expect(info?.classes).toEqual(names)
    expect(info?.preparation).toEqual({
      x: { ops: ['cast', 'sub', 'div'], digest: expect.stringMatching(/^[0-9a-f]{32}$/) as string, default: false },
      target: { ops: [], digest: expect.any(String) as string, default: true },
    })
  })

  it('is loaded with the preparation of its training alone', async () => {
    const { path, bytes, wanted } = await saved('prepared', centred(100))
    const asked = (inputs?: Inputs) => load(path, perceptron(), { device, ...(inputs && { inputs }) })
    const because = 'expected x to be prepared as in its training (cast, sub, div), got'
    await expect(asked()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' })
    await expect(asked()).rejects.toThrow(
      `${because} cast, div, the default: load it with the \`inputs\` of its training`,
    )
    await expect(asked(centred(101))).rejects.toThrow(`${because} the same ops with other numbers`)
    await expect(asked({ ...centred(100), target: (t) => ops.add(t, 0) })).rejects.toThrow('expected target to be')
    await using model = await asked(centred(100))
    expect(await model.predict(bytes)).toEqual(wanted)
  })

  it('of the default preparation may be loaded with none, or with the same in so many words', async () => {
    const { path, bytes, wanted } = await saved('default')
    for (const inputs of [undefined, { x: (x: Tensor) => ops.div(ops.cast(x, 'f32'), 255) }]) {
      await using model = await load(path, perceptron(), { device, ...(inputs && { inputs }) })
      expect(await model.predict(bytes)).toEqual(wanted)
      await expect(model.predict(Float32Array.from(bytes))).rejects.toThrow('expected Uint8Array, as the network was')
    }
    await expect(load(path, perceptron(), { device, inputs: centred(100) })).rejects.toThrow('got cast, sub, div')
    const input = { dtype: 'f32', shape: [1, side, side] } as const
    await expect(load(path, perceptron(), { device, input })).rejects.toThrow('load[input]: expected Uint8Array')
  })

  it('tells data of other classes', async () => {
    const { path } = await saved('classes')
    await using model = await load(path, perceptron(), { device })
    const measured = (own?: string[]) =>
      model.evaluate({ data: { train: images(20), ...(own && { classes: own }) }, loss: nn.crossEntropy })
    expect((await measured(names)).loss).toBeGreaterThan(0)
    expect((await measured()).loss).toBeGreaterThan(0)
    await expect(measured(['left', 'right', 'middle', 'edge', 'none'])).rejects.toThrow(
      'evaluate[data.classes]: expected class 1 to be middle, as in training, got right',
    )
    await expect(measured(names.slice(0, 4))).rejects.toThrow('expected class 4 to be none, as in training, got none')
    await expect(
      using(perceptron(), { data: { train: images(32), classes: [1] as never } }, () => Promise.resolve()),
    ).rejects.toThrow('session[data.classes]: expected a list of names')
  })

  it('warns whom it is resumed by with another preparation', async () => {
    const { path } = await saved('resumed', centred(100))
    const told: string[] = []
    const onWarning = (text: string) => told.push(text)
    await using(perceptron(), { inputs: centred(90), onWarning }, (run) => run.resume(path))
    expect(told).toEqual([expect.stringMatching(/prepared as in its training.*other numbers: the run will differ/)])
  })

  it('that says nothing of it is loaded with a warning', async () => {
    const { path } = await saved('older')
    const old = join(folder, 'without.safetensors')
    const file = await openSafetensors(path)
    const {
      preparation: _,
      digests: __,
      ...info
    } = JSON.parse(file.metadata.get('ostrich')!) as Record<string, unknown>
    const tensors = await Promise.all(
      [...file.tensors].map(async ([name, { dtype, shape }]) => [name, { dtype, shape, data: await file.read(name) }]),
    )
    await file.close()
    await writeSafetensors(old, Object.fromEntries(tensors) as never, { ostrich: JSON.stringify(info) })
    const told: string[] = []
    await using model = await load(old, perceptron(), { device, onWarning: (text) => told.push(text) })
    expect(model.info?.classes).toEqual(names)
    expect(told).toEqual([expect.stringContaining('does not say how fields were prepared')])
  })

  it('of a preparation with many constants tells one of them', async () => {
    const mean = (last: number): Inputs => ({
      x: (x: Tensor) =>
        ops.sub(
          ops.cast(x, 'f32'),
          constant(
            'f32',
            [1, 1, side, side],
            Array.from({ length: pixels }, (_, i) => (i === pixels - 1 ? last : i)),
          ),
        ),
    })
    const { path } = await saved('mean', mean(3))
    await expect(load(path, perceptron(), { device, inputs: mean(4) })).rejects.toThrow('other numbers')
    await using model = await load(path, perceptron(), { device, inputs: mean(3) })
    expect(await model.predict(new Uint8Array(pixels))).toHaveLength(classes)
  })
})
