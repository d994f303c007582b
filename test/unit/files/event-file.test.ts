// Event files of TensorBoard, byte by byte where they are defined, and as Python's tensorboard reads them where it is there.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crc32c, record } from '../../../lib/files/index.js'
import { eventWriter } from '../../../lib/train/index.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-board-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const python = process.env['OSTRICH_TENSORBOARD'] ?? 'python3'
const runs = (program: string, ...args: string[]) =>
  execFileSync(python, ['-c', program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const hasTensorboard = (): boolean => {
  try {
    runs('import tensorboard')
    return true
  } catch {
    return false
  }
}

/** Length, bytes and checksums of each record. */
function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at))
    const data = bytes.subarray(at + 12, at + 12 + length)
    expect(bytes.subarray(at, at + 16 + length)).toEqual(record(data))
    found.push(data)
    at += 16 + length
  }
  return found
}

const digits = { data: Uint8Array.from({ length: 12 }, (_, i) => i * 20), channels: 3, height: 2, width: 2 } as const

/** One of each kind. */
async function written(name: string): Promise<string> {
  const path = join(folder, name)
  await using board = await eventWriter(path)
  board.scalar('loss', 0.25, 0)
  board.scalar('loss', 0.125, 70_000)
  board.histogram('weights', Float32Array.of(-1, 0, 0.5, 0.5, 2, NaN, Infinity), 3)
  board.histogram('nothing', new Float32Array(3).fill(NaN), 3)
  board.image('digits', digits, 4)
  board.text('sample', 'To be, or **not** — é', 5)
  return path
}

// RFC 3720, appendix B.4
it.for([
  ['123456789', 0xe3069283],
  ['', 0],
  ['\0'.repeat(32), 0x8a9136aa],
  ['\xff'.repeat(32), 0x62a8ab43],
] as const)('CRC-32C of %j', ([text, crc]) => {
  expect(crc32c(Buffer.from(text, 'latin1'))).toBe(crc)
})

it('has a record for its version and one for each value, in order', async () => {
  const path = await written('order')
  const [name = ''] = await readdir(path)
  expect(name).toMatch(/^events\.out\.tfevents\.\d+\./)
  const found = records(await readFile(join(path, name)))
  expect(found).toHaveLength(7)
  expect(found[0]!.toString('latin1')).toContain('brain.Event:2')
  // Names of several letters: a byte of the time of day may be any one.
  expect(found.slice(1).map((data) => /loss|digits|sample|nothing|weights/.exec(data.toString('latin1'))?.[0])).toEqual(
    [...['loss', 'loss', 'weights', 'nothing', 'digits', 'sample']],
  )
})

it('never writes over another file of the same folder', async () => {
  await written('twice')
  const path = await written('twice')
  expect(await readdir(path)).toHaveLength(2)
})

it('refuses what it cannot write, and goes on', async () => {
  const board = await eventWriter(join(folder, 'refused'))
  expect(() => {
    board.scalar('loss', '1' as never, 0)
  }).toThrow('scalar[value]: expected')
  expect(() => {
    board.scalar(7 as never, 1, 0)
  }).toThrow('scalar[tag]: expected')
  expect(() => {
    board.scalar('loss', 1, 0.5)
  }).toThrow('scalar[step]: expected')
  expect(() => {
    board.histogram('w', [1, 2] as never, 0)
  }).toThrow('histogram[values]: expected a typed array')
  expect(() => {
    board.image('x', { ...digits, width: 3 }, 0)
  }).toThrow('image[image]: expected an image')
  board.scalar('loss', 1, 1)
  await board.close()
  await board.close()
  expect(() => {
    board.scalar('loss', 1, 2)
  }).toThrow('expected an open event file, got one that was closed')
  await expect(eventWriter(5 as never)).rejects.toThrow('eventWriter[folder]: expected')
})

describe.skipIf(!hasTensorboard())('tensorboard (set OSTRICH_TENSORBOARD to a Python that has it)', () => {
  it('reads all of it', async () => {
    const path = await written('read')
    const program = `
import json, sys
from tensorboard.backend.event_processing import event_accumulator as ea
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
a = ea.EventAccumulator(sys.argv[1], size_guidance={ea.HISTOGRAMS: 0, ea.TENSORS: 0, ea.IMAGES: 0})
a.Reload()
print(json.dumps({
  'scalars': [[s.step, s.value] for s in a.Scalars('loss')],
  'histogram': [getattr(a.Histograms('weights')[0].histogram_value, k) for k in ('min', 'max', 'num', 'sum', 'sum_squares')],
  'counts': sum(a.Histograms('weights')[0].histogram_value.bucket),
  'none': a.Histograms('nothing')[0].histogram_value.num,
  'image': [a.Images('digits')[0].step, a.Images('digits')[0].width, a.Images('digits')[0].encoded_image_string[1:4].decode()],
  'text': a.Tensors('sample')[0].tensor_proto.string_val[0].decode(),
  'plugin': a.SummaryMetadata('sample').plugin_data.plugin_name,
}))`
    expect(JSON.parse(runs(program, path))).toEqual({
      scalars: [
        [0, 0.25],
        [70_000, 0.125],
      ],
      histogram: [-1, 2, 5, 2, 5.5],
      counts: 5,
      none: 0,
      image: [4, 2, 'PNG'],
      text: 'To be, or **not** — é',
      plugin: 'text',
    })
  })
})
