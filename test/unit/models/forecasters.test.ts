// Networks that predict frames: what they are made of, the order of pixels in patches, and what they refuse.
import { describe, expect, it } from 'vitest'
import { feed, type Tensor, trace } from '../../../lib/graph/index.js'
import {
  compositeLstm,
  convLstmForecaster,
  type Film,
  nextFrameConvLstm,
  shiConvLstm,
  smallConvLstm,
  srivastavaComposite,
} from '../../../lib/models/index.js'
import { patchesOf, pixelsOf, reversed } from '../../../lib/models/forecaster.js'
import * as nn from '../../../lib/nn/index.js'
import { interpret } from '../../support/interpreter.js'
import { ndarray } from '../../support/ndarray.js'

/** Frames that are fed. */
const film = (name: string, shape: [number, number, number, number, number]): Film => feed(name, 'f32', shape)

const sizeOf = (net: (x: Film) => Tensor, side = 16): number =>
  nn.summary(net, { x: [10, 1, 1, side, side] }).parameters

describe('convLstmForecaster', () => {
  it('has as many weights as the paper says of its networks', () => {
    expect(sizeOf(convLstmForecaster(shiConvLstm))).toBe(7_585_296)
    expect(sizeOf(convLstmForecaster({ ...shiConvLstm, layers: [128, 128] }))).toBe(10_042_896)
    expect(sizeOf(convLstmForecaster({ ...shiConvLstm, layers: [256] }))).toBe(13_524_496)
  })

  it('gives as many frames as it is asked for, of any sides that are multiples of the patch', () => {
    const net = convLstmForecaster({ ...smallConvLstm, layers: [3, 2], future: 4, patch: 2 })
    trace({ name: 'net' }, () => {
      expect(net(film('x', [5, 3, 1, 6, 10])).shape).toEqual([4, 3, 1, 6, 10])
      expect(() => net(film('y', [5, 3, 1, 6, 9]))).toThrow(
        'convLstmForecaster: expected sides that are multiples of the patch, 2, got frames of 9 x 6',
      )
      expect(() => net(film('z', [5, 3, 3, 6, 10]))).toThrow(
        'convLstmForecaster: expected f32[T, N, 1, height, width], got f32[5, 3, 3, 6, 10]',
      )
      return {}
    })
  })

  it('refuses knobs that make no network', () => {
    expect(() => convLstmForecaster({ ...smallConvLstm, kernel: 4 })).toThrow('kernel')
    expect(() => convLstmForecaster({ ...smallConvLstm, layers: [] })).toThrow('expected layers, got none')
    expect(() => convLstmForecaster({ ...smallConvLstm, peephole: true } as never)).toThrow('did you mean peepholes?')
  })
})

describe('nextFrameConvLstm', () => {
  const of = (future: number) => nextFrameConvLstm({ ...smallConvLstm, layers: [3, 2], future, patch: 2 })

  it('has one stack for what is seen and what follows', () => {
    const layer = (inputs: number, outputs: number) => 4 * outputs * ((inputs + outputs) * 9 + 1)
    expect(sizeOf(nextFrameConvLstm(smallConvLstm))).toBe(layer(16, 64) + layer(64, 64) + 16 * 129)
  })

  it('gives the frames that follow, and of those that it sees all but the first', () => {
    const [four, one] = [of(4), of(1)]
    trace({ name: 'net' }, () => {
      const { output, next } = four.run(film('x', [5, 3, 1, 6, 10]))
      expect([output.shape, next?.shape]).toEqual([
        [4, 3, 1, 6, 10],
        [4, 3, 1, 6, 10],
      ])
      const single = one.run(film('y', [1, 3, 1, 6, 10]))
      expect([single.output.shape, single.next]).toEqual([[1, 3, 1, 6, 10], undefined])
      expect(() => one(film('z', [5, 3, 1, 6, 9]))).toThrow(
        'nextFrameConvLstm: expected sides that are multiples of the patch, 2, got frames of 9 x 6',
      )
      return {}
    })
    expect(() => nextFrameConvLstm({ ...smallConvLstm, layers: [] })).toThrow('expected layers, got none')
  })
})

describe('compositeLstm', () => {
  it('has the weights of the code of the paper', () => {
    const [units, pixels] = [2048, 4096]
    const cell = 4 * units * (pixels + units + 1) + 3 * units
    const net = compositeLstm(srivastavaComposite)
    const all = net.parameters.reduce((sum, { count }) => sum + count, 0)
    expect(all).toBe(3 * cell + 2 * (units + 1) * pixels)
    const blind = compositeLstm({ ...srivastavaComposite, conditional: false })
    expect(all - blind.parameters.reduce((sum, { count }) => sum + count, 0)).toBe(2 * 4 * units * pixels)
  })

  it('needs the true frames in training, and takes no others', () => {
    const net = compositeLstm({ ...srivastavaComposite, units: 3, frame: [1, 4, 4], future: 2 })
    trace({ name: 'net', mode: 'train' }, () => {
      const x = film('x', [5, 3, 1, 4, 4])
      expect(() => net(x)).toThrow('compositeLstm: expected a target in training, got none')
      expect(() => net.run(x, { target: feed('t', 'f32', [3, 3, 1, 4, 4]) })).toThrow(
        'compositeLstm[target]: expected f32[2, 3, 1, 4, 4], got f32[3, 3, 1, 4, 4]',
      )
      expect(() => net.run(x, { targets: x } as never)).toThrow('did you mean target?')
      return {}
    })
  })
})

describe('patches', () => {
  it('are squares of pixels as channels, and become pixels again', () => {
    const shape = [2, 3, 4, 6]
    const x = ndarray(shape, [...Array(144).keys()])
    const graph = trace({ name: 'patches' }, () => {
      const x = feed('x', 'f32', shape)
      const parts = patchesOf(x, 2)
      return { parts, again: pixelsOf(parts, 2), backwards: reversed(x) }
    })
    const { parts, again, backwards } = interpret(graph, { x }, {}).fetches
    expect(parts!.shape).toEqual([2, 12, 2, 3])
    // Channel 1 of image 1, in its place (1, 2): pixels of rows 2 and 3 and columns 4 and 5.
    const at = (channel: number) => parts!.data[((12 + 4 + channel) * 2 + 1) * 3 + 2]
    expect([0, 1, 2, 3].map(at)).toEqual([112, 113, 118, 119])
    expect([...again!.data]).toEqual([...x.data])
    expect([...backwards!.data]).toEqual([...x.data.subarray(72), ...x.data.subarray(0, 72)])
  })
})
