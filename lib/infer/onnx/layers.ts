// Products, convolutions, pools and normalisations as ONNX operators.
import type { Conversion, Converter } from './converter.js'
import { refused } from './extents.js'

const geometry = ({ fixed, node }: Conversion, kernel: 'kernel' | undefined) => ({
  ...(kernel !== undefined && { kernel_shape: { ints: fixed(kernel) } }),
  strides: { ints: fixed('stride') },
  pads: { ints: fixed('padding') },
  ...(node.attrs['dilation'] !== undefined && { dilations: { ints: fixed('dilation') } }),
  ...(node.attrs['groups'] !== undefined && { group: { int: node.attrs['groups'] as number } }),
})

/** A vector of channels, as it lies beside x [N, C, ...]. */
const besideChannels = ({ emitter, node }: Conversion, vector: string): string => {
  const places = (node.inputs[0]?.rank ?? 2) - 2
  return places === 0 ? vector : emitter.op('Reshape', [vector, emitter.ints([-1, ...Array<number>(places).fill(1)])])
}

/** x times a scale and plus a shift for each channel. */
const affine = (conversion: Conversion, x: string, scale: string, shift: string): string => {
  const { emitter } = conversion
  const scaled = emitter.op('Mul', [x, besideChannels(conversion, scale)])
  return emitter.op('Add', [scaled, besideChannels(conversion, shift)])
}

/** (x - mean) / sqrt(variance + epsilon), both over these axes. */
const standardised = ({ emitter, node }: Conversion, x: string, axes: readonly number[]): string => {
  const attributes = { axes: { ints: axes }, keepdims: { int: 1 } }
  const centred = emitter.op('Sub', [x, emitter.op('ReduceMean', [x], attributes)])
  const variance = emitter.op('ReduceMean', [emitter.op('Mul', [centred, centred])], attributes)
  const epsilon = emitter.scalar(node.attrs['epsilon'] as number)
  return emitter.op('Div', [centred, emitter.op('Sqrt', [emitter.op('Add', [variance, epsilon])])])
}

const swapped = ({ emitter }: Conversion, x: string, rank: number): string => {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  return emitter.op('Transpose', [x], { perm: { ints: [...axes.slice(0, -2), rank - 1, rank - 2] } })
}

export const layers: Readonly<Record<string, Converter>> = {
  matmul: (conversion) => {
    const { emitter, node, inputs } = conversion
    const [a, b] = (['transposeA', 'transposeB'] as const).map((name, i) =>
      node.attrs[name] === true ? swapped(conversion, inputs[i]!, node.inputs[i]!.rank) : inputs[i]!,
    )
    const product = emitter.op('MatMul', [a!, b!])
    return [inputs[2] === undefined ? product : emitter.op('Add', [product, inputs[2]])]
  },
  conv2d: (conversion) => [conversion.emitter.op('Conv', conversion.inputs, geometry(conversion, undefined))],
  conv2dGradInput: (conversion) => {
    const { emitter, node, inputs, fixed } = conversion
    const [, , ...from] = node.inputs[0]!.shape
    const kernel = node.inputs[1]!.shape.slice(2)
    const [stride, dilation, padding] = [fixed('stride'), fixed('dilation'), fixed('padding')]
    const more = fixed('size').map((size, i) => {
      const reach = dilation[i]! * (kernel[i]! - 1) + 1
      return size - ((from[i]! - 1) * stride[i]! + reach - padding[i]! - padding[i + 2]!)
    })
    return [emitter.op('ConvTranspose', inputs, { ...geometry(conversion, undefined), output_padding: { ints: more } })]
  },
  maxPool2d: (conversion) => [conversion.emitter.op('MaxPool', conversion.inputs, geometry(conversion, 'kernel'))],
  avgPool2d: (conversion) => {
    const counts = conversion.node.attrs['countPadding'] === true ? 1 : 0
    const attributes = { ...geometry(conversion, 'kernel'), count_include_pad: { int: counts } }
    return [conversion.emitter.op('AveragePool', conversion.inputs, attributes)]
  },
  lrn: ({ emitter, node: { attrs }, inputs }) => {
    const [size, alpha, beta, k] = ['size', 'alpha', 'beta', 'k'].map((name) => attrs[name] as number)
    const own = { size: { int: size! }, alpha: { float: alpha! * size! }, beta: { float: beta! }, bias: { float: k! } }
    return [emitter.op('LRN', inputs, own)]
  },
  channelAffine: (conversion) => {
    const [x = '', scale = '', shift = ''] = conversion.inputs
    return [affine(conversion, x, scale, shift)]
  },
  batchNorm: (conversion) => {
    const [x = '', scale = '', shift = ''] = conversion.inputs
    const axes = (conversion.node.inputs[0]?.rank ?? 2) === 2 ? [0] : [0, 2, 3]
    return [affine(conversion, standardised(conversion, x, axes), scale, shift)]
  },
  groupNorm: (conversion) => {
    const { emitter, node, shape } = conversion
    const [x = '', scale = '', shift = ''] = conversion.inputs
    const groups = node.attrs['groups'] as number
    const grouped = emitter.op('Reshape', [x, emitter.ints([0, groups, -1])])
    return [affine(conversion, emitter.reshape(standardised(conversion, grouped, [2]), shape()), scale, shift)]
  },
  // Windows of x [N, C, H, W] -> [OH * OW, N, C * KH * KW]: for each place of the kernel a strided slice [N, C, OH, OW].
  unfold: (conversion) => {
    const { emitter, node, fixed, shape } = conversion
    const [kernel, stride, padding] = [fixed('kernel'), fixed('stride'), fixed('padding')]
    const [, , height = 1, width = 1] = node.inputs[0]!.shape
    const [top = 0, left = 0, bottom = 0, right = 0] = padding
    const padded = emitter.op('Pad', [conversion.inputs[0]!, emitter.ints([0, 0, top, left, 0, 0, bottom, right])])
    const ends = [height + top + bottom, width + left + right]
    const taps: string[] = []
    for (let row = 0; row < kernel[0]!; row++) {
      for (let column = 0; column < kernel[1]!; column++) {
        const end = [ends[0]! - (kernel[0]! - 1 - row), ends[1]! - (kernel[1]! - 1 - column)]
        const bounds = [[row, column], end, [2, 3], stride].map((values) => emitter.ints(values))
        taps.push(emitter.op('Unsqueeze', [emitter.op('Slice', [padded, ...bounds]), emitter.ints([4])]))
      }
    }
    const joined = taps.length === 1 ? taps[0]! : emitter.op('Concat', taps, { axis: { int: 4 } })
    // [N, C, OH, OW, K] -> [OH, OW, N, C, K]
    return [emitter.reshape(emitter.op('Transpose', [joined], { perm: { ints: [2, 3, 0, 1, 4] } }), shape())]
  },
  dropout: ({ node }) => {
    throw refused(node, 'a network in evaluation, got one that drops')
  },
}
