// Sound files made by hand, byte after byte from the formats' descriptions, and tones to put in them.
import { createHash } from 'node:crypto'
import { PhiloxStream } from '../../lib/data/index.js'

/** A tone of so many Hz. */
export function tone(hertz: number, rate: number, count: number, size = 0.5): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => size * Math.sin((2 * Math.PI * hertz * i) / rate))
}

/** Whole numbers of so many bits, drawn by seed. */
export function noise(count: number, bits: number, seed: number): number[] {
  const random = new PhiloxStream(seed, 0, 0)
  return Array.from({ length: count }, () => Math.floor((random.next() / 2 ** 32 - 0.5) * 2 ** bits))
}

/** The ends of whole numbers of so many bits, and some between. */
export const ends = (bits: number): number[] => [
  -(2 ** (bits - 1)),
  -1,
  0,
  1,
  2 ** (bits - 1) - 1,
  ...noise(20, bits, bits),
]

/** Numbers as bytes, each by this method of a view. */
export function bytesOf(
  values: readonly number[],
  width: number,
  put: (view: DataView, at: number, value: number) => void,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * width))
  for (const [i, value] of values.entries()) put(view, i * width, value)
  return new Uint8Array(view.buffer)
}

/** Whole numbers of 16 bits as bytes. */
export function shorts(values: readonly number[], little = true): Uint8Array {
  return bytesOf(values, 2, (view, at, value) => {
    view.setInt16(at, value, little)
  })
}

/** A chunk of a RIFF file; one of an odd size is followed by a byte of padding. */
export function chunk(id: string, data: Uint8Array, little = true, size = data.length): Uint8Array {
  const head = Buffer.alloc(8)
  head.write(id, 'latin1')
  if (little) head.writeUInt32LE(size, 4)
  else head.writeUInt32BE(size, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** What a WAV file is of. */
export interface WavParts {
  readonly tag?: number
  readonly channels?: number
  readonly rate?: number
  readonly bits?: number
  /** Bytes of a sample of each channel. */
  readonly block?: number
  /** WAVE_FORMAT_EXTENSIBLE with so many bits that count. */
  readonly valid?: number
  readonly little?: boolean
}

/** The chunk `fmt ` of a WAV file. */
export function wavFormat(parts: WavParts = {}): Uint8Array {
  const { tag = 1, channels = 1, rate = 8000, bits = 16, valid, little = true } = parts
  const block = parts.block ?? channels * Math.ceil(bits / 8)
  const data = new DataView(new ArrayBuffer(valid === undefined ? 16 : 40))
  const shortsAt = (at: number, ...values: readonly number[]): void => {
    for (const [i, value] of values.entries()) data.setUint16(at + 2 * i, value, little)
  }
  shortsAt(0, valid === undefined ? tag : 0xfffe, channels)
  data.setUint32(4, rate, little)
  data.setUint32(8, rate * block, little)
  shortsAt(12, block, bits)
  if (valid !== undefined) {
    shortsAt(16, 22, valid, 0, 0, tag)
    const rest = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]
    for (const [i, byte] of rest.entries()) data.setUint8(26 + i, byte)
  }
  return chunk('fmt ', new Uint8Array(data.buffer), little)
}

/** A RIFF file of these chunks. */
export function riff(chunks: readonly Uint8Array[], little = true, size?: number): Uint8Array {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks])
  return Buffer.concat([chunk(little ? 'RIFF' : 'RIFX', body, little, size ?? body.length)])
}

/** A WAV file of these bytes of samples. */
export function wavFile(samples: Uint8Array, parts: WavParts = {}): Uint8Array {
  const { little = true } = parts
  return riff([wavFormat(parts), chunk('data', samples, little)], little)
}

/** A NIST SPHERE file: a header of 1,024 bytes with these lines, and samples. */
export function sphereFile(lines: readonly string[], samples: Uint8Array, size = 1024): Uint8Array {
  const header = Buffer.alloc(size, ' ')
  header.write(['NIST_1A', `${size}`.padStart(7), ...lines, 'end_head', ''].join('\n'), 'latin1')
  return Buffer.concat([header, samples])
}

/** The lines of a SPHERE header of 16 bits, some of them in another way; undefined leaves one out. */
export function sphereLines(count: number, others: Readonly<Record<string, string | undefined>> = {}): string[] {
  const fields: Record<string, string | undefined> = {
    database_id: '-s3 AN4',
    sample_count: `-i ${count}`,
    sample_rate: '-i 16000',
    sample_n_bytes: '-i 2',
    sample_byte_format: '-s2 01',
    channel_count: '-i 1',
    sample_coding: '-s3 pcm',
    ...others,
  }
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
}

/** Writes numbers of any bits, high bit first. */
class Bits {
  readonly #bits: number[] = []

  put(value: number | bigint, width: number): this {
    for (let i = width - 1; i >= 0; i--) this.#bits.push(Number((BigInt(value) >> BigInt(i)) & 1n))
    return this
  }

  bytes(): Buffer {
    const bytes = Buffer.alloc(Math.ceil(this.#bits.length / 8))
    for (const [i, bit] of this.#bits.entries()) bytes[i >> 3]! |= bit << (7 - (i & 7))
    return bytes
  }
}

function checksum(bytes: Uint8Array, polynomial: number, width: number): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << (width - 8)
    for (let i = 0; i < 8; i++) sum = (sum & (1 << (width - 1))) === 0 ? sum << 1 : (sum << 1) ^ polynomial
    sum &= 2 ** width - 1
  }
  return sum
}

/** A FLAC file (RFC 9639) of samples as they are, in frames of 1,024, or of another kind of part. `samples` has a list for each channel. */
export function flacFile(
  samples: readonly (readonly number[])[],
  rate: number,
  bits: number,
  kind = 0b000001,
): Uint8Array {
  const [first = []] = samples
  const width = bits / 8
  const plain = Buffer.alloc(first.length * samples.length * width)
  for (const i of first.keys()) {
    for (const [c, channel] of samples.entries()) plain.writeIntLE(channel[i]!, (i * samples.length + c) * width, width)
  }
  const info = new Bits()
    .put(1024, 16)
    .put(1024, 16)
    .put(0, 24)
    .put(0, 24)
    .put(rate, 20)
    .put(samples.length - 1, 3)
  info.put(bits - 1, 5).put(first.length, 36)
  const md5 = createHash('md5').update(plain).digest()
  const block = Buffer.concat([info.bytes(), md5])
  const head = new Bits().put(1, 1).put(0, 7).put(block.length, 24).bytes()
  const frames = Array.from({ length: Math.ceil(first.length / 1024) }, (_, frame) => {
    const part = samples.map((channel) => channel.slice(frame * 1024, (frame + 1) * 1024))
    const count = part[0]!.length
    // Sync and fixed blocks; 16 bits of the block's size, the rate by its code; channels, sample size; the frame's number in UTF-8.
    const code = { 8000: 4, 16_000: 5, 44_100: 9 }[rate] ?? 0
    const header = new Bits()
      .put(0xfff8, 16)
      .put(0b0111, 4)
      .put(code, 4)
      .put(samples.length - 1, 4)
    header
      .put({ 8: 1, 16: 4, 24: 6 }[bits] ?? 0, 3)
      .put(0, 1)
      .put(frame, 8)
      .put(count - 1, 16)
    const start = header.bytes()
    const body = new Bits()
    for (const channel of part) {
      body.put(kind << 1, 8)
      for (const value of channel) body.put(BigInt.asUintN(bits, BigInt(value)), bits)
    }
    const all = Buffer.concat([start, Buffer.from([checksum(start, 0x07, 8)]), body.bytes()])
    const sum = checksum(all, 0x8005, 16)
    return Buffer.concat([all, Buffer.from([sum >> 8, sum & 255])])
  })
  return Buffer.concat([Buffer.from('fLaC'), head, block, ...frames])
}
