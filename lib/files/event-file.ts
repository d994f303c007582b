// Event files of TensorBoard: TFRecords (a length, its checksum, the bytes, theirs) of the messages Event and Summary of TensorFlow.
import { open, mkdir, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ProtobufMessage } from './protobuf.js'

/** CRC-32C (Castagnoli), reflected: the remainder of each byte. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

/** CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff
  for (const byte of bytes) rest = REMAINDERS[(rest ^ byte) & 255]! ^ (rest >>> 8)
  return ~rest >>> 0
}

/** As records hold it: rotated and moved, so that a checksum of bytes with checksums in them is not weak. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** A record of these bytes. */
export function record(data: Uint8Array): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(data.length), 0)
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8)
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(masked(data), 0)
  return Buffer.concat([head, data, tail])
}

/** One number, picture or text at a step. */
export type SummaryValue =
  | { readonly scalar: number }
  | { readonly values: Float32Array | Int32Array | Uint8Array }
  | { readonly png: Uint8Array; readonly width: number; readonly height: number; readonly channels: number }
  | { readonly text: string }

/** A value by its tag, seconds since 1970, and the step that it belongs to. */
export interface SummaryEvent {
  readonly tag: string
  readonly step: number
  readonly time: number
  readonly value: SummaryValue
}

/** The Event message of a value. */
export function eventOf({ tag, step, time, value }: SummaryEvent): Uint8Array {
  const summary = new ProtobufMessage().message(1, summaryOf(tag, value))
  return joined(new ProtobufMessage().double(1, time).int(2, step).message(5, summary))
}

function summaryOf(tag: string, value: SummaryValue): ProtobufMessage {
  const message = new ProtobufMessage().text(1, tag)
  if ('scalar' in value) return message.float(2, value.scalar)
  if ('values' in value) return message.message(5, histogramOf(value.values))
  if ('png' in value) {
    const { png, width, height, channels } = value
    return message.message(4, new ProtobufMessage().int(1, height).int(2, width).int(3, channels).bytes(4, png))
  }
  // A text is a tensor of strings (DT_STRING, no axes), which the plugin of that name shows.
  const tensor = new ProtobufMessage().int(1, 7).message(2, new ProtobufMessage()).text(8, value.text)
  const plugin = new ProtobufMessage().message(1, new ProtobufMessage().text(1, 'text'))
  return message.message(8, tensor).message(9, plugin)
}

/** Upper ends of the bins of a histogram, as TensorFlow's: from 1e-12 on each a tenth more, the same below zero, and all between. */
const LIMITS = ((): readonly number[] => {
  const above: number[] = []
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) above.push(limit)
  return [...above.map((limit) => -limit).reverse(), 0, ...above, Number.MAX_VALUE]
})()

/** Values that are no numbers or infinite are left out. */
function histogramOf(values: Float32Array | Int32Array | Uint8Array): ProtobufMessage {
  const counts = new Float64Array(LIMITS.length)
  let [least, most, count, sum, squares] = [Infinity, -Infinity, 0, 0, 0]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    least = Math.min(least, value)
    most = Math.max(most, value)
    count++
    sum += value
    squares += value * value
    counts[binOf(value)]!++
  }
  const used = Array.from(LIMITS.keys()).filter((bin) => counts[bin]! > 0)
  const first = Math.max(0, (used[0] ?? 0) - 1)
  const last = (used.at(-1) ?? 0) + 1
  return new ProtobufMessage()
    .double(1, count === 0 ? 0 : least)
    .double(2, count === 0 ? 0 : most)
    .double(3, count)
    .double(4, sum)
    .double(5, squares)
    .doubles(6, LIMITS.slice(first, last))
    .doubles(7, Array.from(counts.subarray(first, last)))
}

/** The first bin whose upper end is above the value. */
function binOf(value: number): number {
  let [low, high] = [0, LIMITS.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (LIMITS[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}

function joined(message: ProtobufMessage): Buffer {
  return Buffer.concat(message.parts)
}

/** Opens a new event file in a folder, which is made where it is not there; its first record says its version. */
export async function openEventFile(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true })
  const seconds = Math.floor(Date.now() / 1000)
  // Two files of one process and second must not be one.
  const name = `events.out.tfevents.${seconds}.${hostname()}.${crypto.randomUUID().slice(0, 8)}`
  const file = await open(join(folder, name), 'ax')
  const version = new ProtobufMessage().double(1, seconds).text(3, 'brain.Event:2')
  await file.appendFile(record(joined(version)))
  return file
}
