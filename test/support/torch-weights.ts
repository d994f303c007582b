// A file as `safetensors.torch.save_file` writes it, of a small convolutional network's `state_dict`.
import { writeFile } from 'node:fs/promises'

const shapes = { '0.bias': [8], '0.weight': [8, 3, 3, 3], '3.bias': [2], '3.weight': [2, 8 * 32 * 32] }

/** Writes small numbers of both signs. */
export async function writeTorchWeights(path: string): Promise<void> {
  let end = 0
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const start = end
    end += 4 * shape.reduce((product, extent) => product * extent, 1)
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const
  })
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(tensors) }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const values = Float32Array.from({ length: end / 4 }, (_, i) => Math.sin(i) / 50)
  await writeFile(path, Buffer.concat([length, header, Buffer.from(values.buffer)]))
}
