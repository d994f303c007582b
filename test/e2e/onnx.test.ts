// Every network as an ONNX file: ONNX Runtime answers as we do, for any batch.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor as Ort } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../lib/graph/index.js'
import * as models from '../../lib/models/index.js'
import * as nn from '../../lib/nn/index.js'
import * as ops from '../../lib/ops/index.js'
import { load } from '../../lib/infer/index.js'
import { cifar10 } from '../../lib/recipes/index.js'
import { ostrich } from '../support/command-line.js'
import { makeTrained } from '../support/pets.js'
import { compared, type Exportable, type Input } from '../support/onnx.js'

type F32 = Tensor<'f32'>
type I32 = Tensor<'i32'>
type Net = (x: never) => unknown

/** A network of one input, which it takes as f32 or as indices. */
const of = (net: Net, input: (batch: number) => Input): Exportable => ({
  fn: (x) => ({ output: net(x as never) as Tensor }),
  inputs: (batch) => ({ x: input(batch) }),
})
const pixels = (net: Net, shape: readonly number[]): Exportable =>
  of(net, (batch) => ({ dtype: 'f32', shape: [batch, ...shape] }))
const words = (net: Net, below: number, more: readonly number[] = []): Exportable =>
  of(net, (batch) => ({ dtype: 'i32', shape: [6, batch, ...more], below }))
const translator = ({ logits }: models.Translator): Exportable => ({
  fn: (source, lengths, before) => ({ output: logits(source as I32, lengths as I32, before as I32) }),
  inputs: (batch) => ({
    source: { dtype: 'i32', shape: [7, batch], below: 50 },
    lengths: { dtype: 'i32', shape: [batch], from: 1, below: 8 },
    before: { dtype: 'i32', shape: [5, batch], below: 40 },
  }),
})
const both = { source: 50, target: 40 }
const sequence = (layer: Net): Exportable => of(layer, (batch) => ({ dtype: 'f32', shape: [5, batch, 8] }))
/** A sequence whose rows have other lengths. */
const lengths = (run: (x: F32, mask: Tensor<'u8'>) => Tensor): Exportable => ({
  fn: (x, lengths) => ({ output: run(x as F32, ops.sequenceMask(lengths as I32, 5)) }),
  inputs: (batch) => ({
    x: { dtype: 'f32', shape: [5, batch, 8] },
    lengths: { dtype: 'i32', shape: [batch], below: 6 },
  }),
})

const [gated, gatedBack] = [nn.gru({ units: 6 }), nn.gru({ units: 6, reverse: true })]

const networks: Readonly<Record<string, Exportable>> = {
  lenet: pixels(models.lenet(), [1, 28, 28]),
  mlp: pixels(models.mlp(models.mnistMlp), [784]),
  sigmoidMlp: pixels(models.sigmoidMlp(models.mnistSigmoidMlp), [784]),
  maxoutNetwork: pixels(models.maxoutNetwork(), [784]),
  sparseAutoencoder: pixels(models.sparseAutoencoder().net, [784]),
  cifarConvnet: pixels(models.cifarConvnet(), [3, 32, 32]),
  cifarLocal: pixels(models.cifarLocal(), [3, 24, 24]),
  resnetCifar: pixels(models.resnetCifar(), [3, 32, 32]),
  alexnet: pixels(
    models.alexnet({ ...models.imagenetAlexnet, channels: [16, 32, 48, 48, 32], hidden: [64, 64], classes: 20 }),
    [3, 227, 227],
  ),
  alexnetOneTower: pixels(
    models.alexnetOneTower({
      ...models.imagenetOneTower,
      channels: [16, 32, 48, 48, 32],
      hidden: [64, 64],
      classes: 20,
    }),
    [3, 224, 224],
  ),
  houseNumbers: pixels(models.houseNumbers(models.smallHouseNumbers), [3, 54, 54]),
  streetViewNumbers: pixels(
    models.houseNumbers({
      ...models.streetViewNumbers,
      units: [8, 8, 16, 16, 16, 16, 16, 16],
      local: 8,
      hidden: [64, 64],
    }),
    [3, 54, 54],
  ),
  lstmLm: words(models.lstmLm({ vocabulary: 50, units: 24, layers: 2, dropout: 0.5 }), 50),
  awdLstm: words(models.awdLstm({ ...models.ptbAwd, vocabulary: 50, features: 16, units: 24 }), 50),
  mrnnLm: words(models.mrnnLm({ vocabulary: 50, features: 12, units: 24, factors: 20, dropout: 0.2 }), 50),
  tagger: words(
    models.tagger({
      tables: [
        { size: 30, features: 8 },
        { size: 20, features: 4 },
      ],
      units: 12,
      classes: 9,
      dropout: 0.3,
    }),
    20,
    [2],
  ),
  lstmTranslator: translator(
    models.lstmTranslator({ ...models.smallLstmTranslator, ...both, embedding: 16, units: 24 }),
  ),
  attentionTranslator: translator(
    models.attentionTranslator({ ...models.smallAttentionTranslator, ...both, embedding: 16, units: 24 }),
  ),
  transformerTranslator: translator(
    models.transformerTranslator({ ...models.smallTransformerTranslator, ...both, features: 32, hidden: 48 }),
  ),
  speech: of(
    models.speech({
      features: { cepstra: { convention: 'htk', rate: 8000 }, deltas: 2, stack: 2 },
      layers: 2,
      units: 16,
      classes: 12,
    }),
    (batch) => ({ dtype: 'f32', shape: [4000, batch] }),
  ),
  compositeLstm: of(
    models.compositeLstm({ ...models.srivastavaComposite, future: 3, frame: [1, 12, 12], units: 32 }),
    (batch) => ({ dtype: 'f32', shape: [4, batch, 1, 12, 12] }),
  ),
  convLstmForecaster: of(
    models.convLstmForecaster({ ...models.smallConvLstm, future: 3, layers: [8, 8] }),
    (batch) => ({ dtype: 'f32', shape: [4, batch, 1, 64, 64] }),
  ),
  nextFrameConvLstm: of(models.nextFrameConvLstm({ ...models.smallConvLstm, future: 3, layers: [8, 8] }), (batch) => ({
    dtype: 'f32',
    shape: [4, batch, 1, 64, 64],
  })),
  'a plain recurrent network of relu': sequence(nn.rnn({ units: 8, activation: 'relu', reverse: true })),
  'gated units with lengths': lengths((x, mask) =>
    ops.concat([gated.run(x as never, { mask }).output, gatedBack.run(x as never, { mask }).output], 2),
  ),
  'gates that are no product': {
    fn: (gates, w) => {
      const [h, c] = [ops.zeros([gates.shape[1]!, 6]), ops.zeros([gates.shape[1]!, 6])]
      return { output: ops.lstm(gates as F32, w as F32, { h, c }).h }
    },
    inputs: (batch) => ({ gates: { dtype: 'f32', shape: [4, batch, 24] }, w: { dtype: 'f32', shape: [6, 24] } }),
  },
}

it.for(Object.entries(networks))('%s', { timeout: 60_000 }, async ([, network]) => {
  const { error, session } = await compared(network)
  expect(error).toBeLessThan(1e-4)
  expect(session.inputMetadata.some((input) => input.isTensor && input.shape.includes('batch'))).toBe(true)
})

describe('an ONNX file', () => {
  it('has an LSTM for a layer and none of its parts, and says who wrote it', async () => {
    const { bytes, session } = await compared(networks['lstmLm']!)
    expect(bytes.toString('latin1').match(/LSTM(?=\W)/g)!.length).toBeGreaterThanOrEqual(2)
    expect(bytes.includes('ostrich')).toBe(true)
    expect(session.outputNames).toEqual([
      'output',
      'lm/lstm1/h/next',
      'lm/lstm1/c/next',
      'lm/lstm2/h/next',
      'lm/lstm2/c/next',
    ])
  })

  it('goes on from the states that it gave', async () => {
    const net = models.lstmLm({ vocabulary: 20, units: 8, layers: 1, dropout: 0 })
    const { session } = await compared(words(net, 20), 2)
    const tokens = Int32Array.from({ length: 12 }, (_, i) => (i * 7) % 20)
    const state = (name: string, from?: Record<string, Ort>) =>
      from?.[`${name}/next`] ?? new Ort('float32', new Float32Array(16), [2, 8])
    const names = session.inputNames.filter((name) => name !== 'x')
    const run = (x: Int32Array, from?: Record<string, Ort>) =>
      session.run({
        x: new Ort('int32', x, [6, 2]),
        ...Object.fromEntries(names.map((name) => [name, state(name, from)])),
      }) as Promise<Record<string, Ort>>
    const first = await run(tokens)
    const on = await run(tokens, first)
    const anew = await run(tokens)
    expect(anew['output']!.data).toEqual(first['output']!.data)
    expect(on['output']!.data).not.toEqual(first['output']!.data)
  })

  it('takes the batch that is told, and no other', async () => {
    const { error, session } = await compared(networks['lenet']!, 3, 3)
    expect(error).toBeLessThan(1e-4)
    expect(session.inputMetadata[0]).toMatchObject({ shape: [3, 1, 28, 28] })
  })

  it('is of trained networks too, with what prepares their bytes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ostrich-onnx-'))
    await makeTrained(folder)
    const { code, out } = await ostrich(folder, ['export', 'runs/cifar10', '--onnx', 'cifar.onnx'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^cifar\.onnx: cifar10, \d+\.\d MiB\n$/)])
    const session = await InferenceSession.create(join(folder, 'cifar.onnx'))
    const x = Uint8Array.from({ length: 2 * 3072 }, (_, i) => (i * 31) % 256)
    const { output } = (await session.run({ x: new Ort('uint8', x, [2, 3, 32, 32]) })) as Record<'output', Ort>
    await using model = await load(join(folder, 'runs/cifar10/last.safetensors'), cifar10.build().net, {
      inputs: cifar10.build().inputs!,
      // As the file has it, also where it was trained in bf16.
      ...{ device: 'cpu', precision: 'f32' },
    })
    const own = (await model.predict(x)) as Float32Array
    for (const [i, value] of own.entries()) expect(Math.abs(value - Number(output.data[i]))).toBeLessThan(1e-4)
    await rm(folder, { recursive: true })
  })

  it('is refused for an op that ONNX has no operators for, with its name and path', async () => {
    const draws: Exportable = {
      fn: (x) => ({ output: ops.add(x as F32, ops.randomNormal([3])) }),
      inputs: (batch) => ({ x: { dtype: 'f32', shape: [batch, 3] } }),
    }
    await expect(compared(draws)).rejects.toThrow(
      /^exportOnnx: randomNormal\[\S*\]: expected an op that ONNX has operators for$/,
    )
  })

  it('is refused for the cells of an LSTM before its last step', async () => {
    const cells: Exportable = {
      fn: (gates, w) => {
        const [h, c] = [ops.zeros([gates.shape[1]!, 6]), ops.zeros([gates.shape[1]!, 6])]
        return { output: ops.sum(ops.lstm(gates as F32, w as F32, { h, c }).c, [0]) }
      },
      inputs: (batch) => ({ gates: { dtype: 'f32', shape: [4, batch, 24] }, w: { dtype: 'f32', shape: [6, 24] } }),
    }
    await expect(compared(cells)).rejects.toThrow(
      /^exportOnnx: sum\[\S*\]: expected nothing of the cells of an LSTM but/,
    )
  })

  it.for([
    [['export', 'nowhere.safetensors', '--onnx', 'x.onnx'], 1, /nowhere\.safetensors: expected a readable file/],
    [['export', 'nowhere.safetensors'], 2, /expected --onnx with the file to write/],
    [['export', 'nowhere.safetensors', '--onnx', 'x.onnx', '--batch', '0'], 2, /--batch expects at least 1, got 0/],
  ] as const)('is refused for %j', async ([args, code, message]) => {
    const ended = await ostrich(tmpdir(), args)
    expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(message)])
  })
})
