// Messages as the specification of Protocol Buffers writes them, and what is refused before a byte is written.
import { readdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type OnnxModel, writeOnnx } from '../../../lib/files/index.js'
import { ProtobufMessage } from '../../../lib/files/protobuf.js'

const bytesOf = (message: ProtobufMessage): string => Buffer.concat(message.parts).toString('hex')

// https://protobuf.dev/programming-guides/encoding
it.for([
  ['an integer', new ProtobufMessage().int(1, 150), '089601'],
  ['a small one in a field beyond 15', new ProtobufMessage().int(20, 7), 'a00107'],
  ['nothing', new ProtobufMessage().int(1, 0), '0800'],
  ['a negative one, in ten bytes', new ProtobufMessage().int(1, -2), '08feffffffffffffffff01'],
  ['the largest that is exact', new ProtobufMessage().int(1, Number.MAX_SAFE_INTEGER), '08ffffffffffffff0f'],
  ['a text', new ProtobufMessage().text(2, 'testing'), '120774657374696e67'],
  ['a text of more bytes than letters', new ProtobufMessage().text(2, 'é'), '1202c3a9'],
  ['a float', new ProtobufMessage().float(2, 1.5), '150000c03f'],
  ['a message within', new ProtobufMessage().message(3, new ProtobufMessage().int(1, 150)), '1a03089601'],
  ['an empty one', new ProtobufMessage().message(3, new ProtobufMessage()), '1a00'],
] as const)('%s', ([, message, bytes]) => {
  expect(bytesOf(message)).toBe(bytes)
  expect(message.length).toBe(bytes.length / 2)
})

it('is refused at 2 GiB, and leaves no file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ostrich-onnx-'))
  const data = new Uint8Array(2 ** 26)
  const tensors = Array.from({ length: 32 }, (_, i) => ({
    name: `w${i}`,
    type: 'u8' as const,
    shape: [data.length],
    data,
  }))
  const model: OnnxModel = {
    ...{ name: 'large', producer: { name: 'ostrich', version: '0' }, inputs: [], outputs: [], nodes: [] },
    tensors,
  }
  const refused = expect(writeOnnx(join(folder, 'large.onnx'), model)).rejects
  await refused.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/expected a model below 2 GiB, got 2147\d+ bytes$/) as string,
  })
  expect(await readdir(folder)).toEqual([])
  await rm(folder, { recursive: true })
})
