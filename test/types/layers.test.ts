// Types of layers: right ones compile, wrong ones do not and say why in words, and long chains are checked quickly.
import { describe, expect, test } from 'vitest'
import { compile, compileFile } from './compiler.js'

test('what compiles and what does not', () => {
  expect(compileFile('layers.ts')).toEqual([])
})

describe('messages', () => {
  const cases: readonly [string, string, string][] = [
    [
      'features',
      'nn.sequential(nn.linear(784, 512), nn.linear(256, 10))',
      'layer 2 expects features 256, but layer 1 gives 512',
    ],
    [
      'features past layers that keep them',
      'nn.sequential(nn.linear(784, 512), nn.relu(), nn.linear(256, 10), nn.relu())',
      'layer 3 expects features 256, but layer 2 gives 512',
    ],
    [
      'channels',
      'nn.sequential(nn.conv2d(1, 32, { kernel: 5 }), nn.maxPool2d(2), nn.conv2d(64, 64, { kernel: 5 }))',
      'layer 3 expects channels 64, but layer 2 gives 32',
    ],
    [
      'rank',
      'nn.sequential(nn.flatten(), nn.conv2d(1, 8, { kernel: 5 }))',
      'layer 2 expects rank 4, but layer 1 gives rank 2',
    ],
    ['dtype', 'nn.sequential(nn.linear(4, 8), nn.embedding(100, 8))', 'layer 2 expects i32, but layer 1 gives f32'],
    [
      'a tensor that does not fit',
      "declare const x: Tensor<'f32', [number, 7]>\nnn.linear(784, 10)(x)",
      'this layer expects features 784, but gets 7',
    ],
  ]
  test.each(cases)('%s', (_what, source, sentence) => {
    const { errors } = compile(source)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(sentence)
  })
})

describe('a chain of 25 layers', () => {
  const layers = (count: number) => Array.from({ length: count }, (_, i) => `nn.linear(${i + 1}, ${i + 2})`)
  const chain = (items: readonly string[]) => `export const net = nn.sequential(${items.join(', ')})`

  test('has the extents of its ends', () => {
    const ends = 'export const same: nn.Layer<nn.Features<1>, nn.Features<26>> = net'
    expect(compile(`${chain(layers(25))}\n${ends}`).errors).toEqual([])
  })

  test('names the position of a fault at its end', () => {
    const { errors } = compile(chain([...layers(24), 'nn.linear(99, 5)']))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('layer 25 expects features 99, but layer 24 gives 25')
  })

  test('is checked quickly', () => {
    const short = compile(chain(layers(1)))
    const long = compile(chain(layers(25)))
    // Types grow with the length of the chain, not with its square; the time is that of a slow machine under load.
    expect(long.types - short.types).toBeLessThan(20_000)
    expect(long.ms).toBeLessThan(3000)
  })
})
