// FLAC files, by the package @wasm-audio-decoders/flac, an optional peer: it is loaded when the first FLAC file is read. The decoder goes on
// over damage, so what it gives is held to the number of samples and to the MD5 digest that the file says.
import { DataError, reasonOf } from '../errors.js'
import { type Channel, type Pcm, soundOf } from './pcm.js'
import { expectRate, type Sound } from './sound.js'

const PACKAGE = '@wasm-audio-decoders/flac'

/** As much of the package as is used. */
interface FlacPackage {
  readonly FLACDecoder: new () => Decoder
}

interface Decoder {
  readonly ready: Promise<void>
  /** Decodes, and makes itself anew for the next file. */
  decodeFile(bytes: Uint8Array): Promise<Decoded>
  free(): void
}

interface Decoded {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
  readonly errors?: readonly { readonly message: string }[]
}

/** What the first block of a file says of it. */
interface StreamInfo {
  readonly rate: number
  readonly channels: number
  readonly bits: number
  /** Samples of each channel; 0: not known. */
  readonly count: number
  /** Of the samples, in hexadecimal; zeros: not known. */
  readonly md5: string
}

/** Where the stream begins: behind a tag ID3v2, which some programs write before it; -1: nowhere. */
function startOf(bytes: Uint8Array): number {
  const [, , , , , , a = 0, b = 0, c = 0, d = 0] = bytes
  const tagged = bytes[0] === 0x49 && bytes[1] === 0x44 && bytes[2] === 0x33
  const at = tagged ? 10 + (a << 21) + (b << 14) + (c << 7) + d : 0
  return String.fromCharCode(...bytes.subarray(at, at + 4)) === 'fLaC' ? at : -1
}

/** Whether bytes begin as a FLAC file does. */
export function isFlac(bytes: Uint8Array): boolean {
  return startOf(bytes) >= 0
}

/** The block STREAMINFO, which is the first (RFC 9639, 8.2). @throws DataError */
export function streamInfo(bytes: Uint8Array, name: string): StreamInfo {
  const at = startOf(bytes)
  const block = bytes.subarray(at + 8, at + 42)
  if (at < 0 || block.length < 34 || (bytes[at + 4]! & 0x7f) !== 0) {
    throw new DataError(`${name}: expected a FLAC file with its stream's properties, got other contents`)
  }
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  // 20 bits of the rate, 3 of the channels less one, 5 of the bits less one, 36 of the number of samples.
  const packed = view.getUint32(10)
  return {
    rate: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    bits: ((packed >>> 4) & 31) + 1,
    count: (packed & 15) * 2 ** 32 + view.getUint32(14),
    md5: Buffer.from(block.subarray(18)).toString('hex'),
  }
}

/**
 * A channel of a FLAC file, or the mean of all.
 * @param name what to call it in errors
 * @throws DataError for what is no FLAC file of 8, 16 or 24 bits, or is damaged; where the package is absent
 */
export async function readFlac(bytes: Uint8Array, channel: Channel, name: string): Promise<Sound> {
  const info = streamInfo(bytes, name)
  expectRate(name, info.rate)
  if (![8, 16, 24].includes(info.bits)) {
    throw new DataError(`${name}: expected samples of 8, 16 or 24 bits, got ${info.bits}`)
  }
  const pcm = await wholeOf(await decoded(bytes.subarray(startOf(bytes)), name), info, name)
  return soundOf(pcm, channel, name)
}

/** A decoder that has nothing to do, if there is one: to make one takes as long as to decode some seconds. */
const spare: Decoder[] = []

async function decoded(stream: Uint8Array, name: string): Promise<Decoded> {
  const { FLACDecoder } = await loadFlac()
  const decoder = spare.pop() ?? new FLACDecoder()
  await decoder.ready
  try {
    const result = await quietly(() => decoder.decodeFile(stream))
    if (spare.length === 0) spare.push(decoder)
    else decoder.free()
    return result
  } catch (error) {
    decoder.free()
    throw new DataError(`${name}: expected a whole FLAC file, got ${reasonOf(error)}`, { cause: error })
  }
}

/** Keeps the decoder from printing what it throws or tells: it works within the call, before it gives its promise. */
function quietly<T>(work: () => T): T {
  const { error } = console
  console.error = () => undefined
  try {
    return work()
  } finally {
    console.error = error
  }
}

/** The samples as whole numbers, which are what the digest is of. @throws DataError where they are not those of the file */
async function wholeOf(decoded: Decoded, info: StreamInfo, name: string): Promise<Pcm> {
  const { channelData, samplesDecoded: count, sampleRate, errors = [] } = decoded
  const [first] = errors
  if (first !== undefined) throw new DataError(`${name}: expected a whole FLAC file, got ${first.message}`)
  if ((info.count !== 0 && count !== info.count) || count === 0) {
    throw new DataError(`${name}: expected ${info.count || 'some'} samples, got ${count}: it is damaged or cut short`)
  }
  if (channelData.length !== info.channels || sampleRate !== info.rate) {
    const got = `${channelData.length} channels at ${sampleRate} Hz`
    throw new DataError(`${name}: expected ${info.channels} channels at ${info.rate} Hz, got ${got}`)
  }
  const bytes = interleaved(channelData, count, info.bits)
  const { createHash } = await import('node:crypto')
  if (!/^0+$/.test(info.md5) && createHash('md5').update(bytes).digest('hex') !== info.md5) {
    throw new DataError(`${name}: expected samples with the digest ${info.md5}, got others: it is damaged`)
  }
  const encoding = info.bits === 8 ? 's8' : info.bits === 16 ? 's16' : 's24'
  return { bytes, rate: info.rate, encoding, byteOrder: 'little', channels: info.channels }
}

/** The decoder divides by the largest whole number; this takes that back, exactly for so few bits. */
function interleaved(channels: readonly Float32Array[], count: number, bits: number): Uint8Array {
  const width = bits / 8
  const most = 2 ** (bits - 1) - 1
  const bytes = Buffer.alloc(count * channels.length * width)
  let at = 0
  for (let i = 0; i < count; i++) {
    for (const samples of channels) {
      bytes.writeIntLE(Math.max(-most - 1, Math.min(most, Math.round(samples[i]! * most))), at, width)
      at += width
    }
  }
  return bytes
}

/** Finds at once that the decoder is absent, where one of these files needs it. @throws DataError with what to run */
export async function expectDecoders(files: readonly string[]): Promise<void> {
  if (files.some((file) => /\.flac$/i.test(file))) await loadFlac()
}

let loaded: Promise<FlacPackage> | undefined

/** @throws DataError where the package is not installed or does not load, with what to run */
function loadFlac(): Promise<FlacPackage> {
  const name: string = PACKAGE
  loaded ??= import(name).then(
    (module: FlacPackage) => module,
    (error: unknown) => {
      loaded = undefined
      const got = reasonOf(error) === 'ERR_MODULE_NOT_FOUND' ? 'none' : reasonOf(error)
      const expected = `expected the package ${PACKAGE}, which decodes FLAC, got ${got}`
      throw new DataError(`readSound: ${expected}. Run: npm install ${PACKAGE}`, { cause: error })
    },
  )
  return loaded
}
