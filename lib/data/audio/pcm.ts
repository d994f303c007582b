// Samples as files hold them, of any kind and number of channels -> one channel of numbers from -1 to 1. What a header says is compared with
// the bytes that are there before any memory is taken.
import { is, type Schema } from '../../base/index.js'
import { DataError } from '../errors.js'
import { expectRate, expectSound, type Sound } from './sound.js'

/** How a sample lies in a file: whole numbers without a sign (u) or with one (s), floats (f), each by their bits, and the two laws of G.711. */
export const encodings = ['u8', 's8', 's16', 's24', 's32', 'f32', 'f64', 'ulaw', 'alaw'] as const

/** One of `encodings`. */
export type SampleEncoding = (typeof encodings)[number]

/** Which channel is read, from 0 on, or the mean of all. */
export type Channel = number | 'mean'

/** What a channel may be. */
export const aChannel = is.either(is.oneOf('mean'), is.whole(0))

/** What lies in a file without a header. */
export interface RawFormat {
  /** Samples a second of each channel, Hz. */
  readonly rate: number
  /** Default: `s16`. */
  readonly encoding?: SampleEncoding
  /** Which byte of a sample comes first. Default: `little`. */
  readonly byteOrder?: 'little' | 'big'
  /** Channels, a sample of each in turn. Default: 1. */
  readonly channels?: number
}

/** The kinds of `RawFormat`. */
export const rawOptions: Schema<RawFormat> = {
  rate: is.needed(is.whole(1)),
  encoding: is.oneOf(...encodings),
  byteOrder: is.oneOf('little', 'big'),
  channels: is.whole(1, 0xffff),
}

/** Samples as they lie: those of all channels in turn. */
export interface Pcm extends Required<RawFormat> {
  readonly bytes: Uint8Array
}

const BYTES: Readonly<Record<SampleEncoding, number>> = {
  u8: 1,
  s8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  ulaw: 1,
  alaw: 1,
}

/** Bytes of a sample. */
export function bytesOf(encoding: SampleEncoding): number {
  return BYTES[encoding]
}

/** The samples of a file without a header. @throws DataError for bytes that are no whole number of samples of each channel */
export function rawPcm(bytes: Uint8Array, format: RawFormat, name: string): Pcm {
  const { rate, encoding = 's16', byteOrder = 'little', channels = 1 } = format
  const each = channels * BYTES[encoding]
  if (bytes.length % each !== 0) {
    const of = channels === 1 ? '' : ` of ${channels} channels`
    throw new DataError(`${name}: expected a multiple of ${each} bytes, samples ${encoding}${of}, got ${bytes.length}`)
  }
  return { bytes, rate, encoding, byteOrder, channels }
}

/**
 * One channel as numbers, or the mean of all.
 * @throws DataError for a channel that is not there, no samples, samples that are no finite numbers
 */
export function soundOf(pcm: Pcm, channel: Channel, name: string): Sound {
  const { bytes, rate, encoding, channels } = pcm
  expectRate(name, rate)
  if (channels < 1) throw new DataError(`${name}: expected a channel, got none`)
  if (channel !== 'mean' && channel >= channels) {
    const there = channels === 1 ? 'one channel' : `channels 0 to ${channels - 1}`
    throw new DataError(`${name}: expected channel ${channel}, got ${there}`)
  }
  const step = channels * BYTES[encoding]
  const samples = new Float32Array(Math.floor(bytes.length / step))
  const read = readerOf(pcm)
  if (channel !== 'mean' || channels === 1) {
    const first = channel === 'mean' ? 0 : channel * BYTES[encoding]
    for (let i = 0, at = first; i < samples.length; i++, at += step) samples[i] = read(at)
  } else {
    for (let i = 0; i < samples.length; i++) {
      let sum = 0
      for (let at = i * step; at < (i + 1) * step; at += BYTES[encoding]) sum += read(at)
      samples[i] = sum / channels
    }
  }
  const sound = { samples, rate }
  expectSound(name, sound)
  return sound
}

/** Samples as whole numbers of 16 bits; what is beyond full scale becomes full scale. */
export function wholesOf(samples: Float32Array): Int16Array {
  const wholes = new Int16Array(samples.length)
  for (let i = 0; i < samples.length; i++) {
    wholes[i] = Math.max(-0x8000, Math.min(0x7fff, Math.round(samples[i]! * 0x8000)))
  }
  return wholes
}

/** What reads the sample at a byte. */
function readerOf({ bytes, encoding, byteOrder }: Pcm): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = byteOrder === 'little'
  switch (encoding) {
    case 'u8':
      return (at) => (bytes[at]! - 128) / 128
    case 's8':
      return (at) => view.getInt8(at) / 128
    case 's16':
      return (at) => view.getInt16(at, little) / 0x8000
    case 's24':
      return little
        ? (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 0x10000) / 0x800000
        : (at) => (view.getInt8(at) * 0x10000 + view.getUint16(at + 1)) / 0x800000
    case 's32':
      return (at) => view.getInt32(at, little) / 0x80000000
    case 'f32':
      return (at) => view.getFloat32(at, little)
    case 'f64':
      return (at) => view.getFloat64(at, little)
    case 'ulaw':
      return (at) => ULAW[bytes[at]!]!
    case 'alaw':
      return (at) => ALAW[bytes[at]!]!
  }
}

/** ITU-T G.711, mu-law: all bits are turned; a sign, three bits of exponent, four of mantissa, on a bias of 33 of 14 bits. */
const ULAW = Float32Array.from({ length: 256 }, (_, code) => {
  const turned = ~code & 0xff
  const size = ((((turned & 15) << 1) + 33) << ((turned >> 4) & 7)) - 33
  return ((turned & 0x80) === 0 ? size : -size) / 0x2000
})

/** ITU-T G.711, A-law: every other bit is turned; a sign that is 1 above zero, a segment, a place in the middle of one of its 16 steps. */
const ALAW = Float32Array.from({ length: 256 }, (_, code) => {
  const turned = code ^ 0x55
  const segment = (turned >> 4) & 7
  const place = ((turned & 15) << 1) + 1
  const size = segment === 0 ? place : (place + 32) << (segment - 1)
  return ((turned & 0x80) === 0 ? -size : size) / 0x1000
})
