// RIFF WAVE files, read and written. Reads whole numbers of 8 to 32 bits, floats, mu-law and A-law, as they are or as WAVE_FORMAT_EXTENSIBLE, of
// either byte order (RIFF, RIFX). Refuses by name what is compressed, RF64, and what ends before its header says.
import { DataError } from '../errors.js'
import { bytesOf, type Pcm, type SampleEncoding, wholesOf } from './pcm.js'
import { expectSound, type Sound } from './sound.js'

/** From this size on, that of the samples was not known when the header was written, as what came through a pipe; nor where all sizes are 0. */
const STREAMED = 0x7fff_0000
const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe
/** Whole numbers by the bytes that they take, on whose high side they lie; those of one byte have no sign. */
const WHOLE: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32']
const FLOATS: Readonly<Record<number, SampleEncoding>> = { 32: 'f32', 64: 'f64' }
const LAWS: Readonly<Record<number, SampleEncoding>> = { 6: 'alaw', 7: 'ulaw' }
/** What stands behind the tag in the identifier of a format: -0000-0010-8000-00AA00389B71. */
const SUBFORMAT = [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113]

/** Compressed formats that may well be met, by their tag. */
const COMPRESSED: Readonly<Record<number, string>> = {
  0x0002: 'Microsoft ADPCM',
  0x0011: 'IMA ADPCM',
  0x0031: 'GSM 6.10',
  0x0040: 'G.721 ADPCM',
  0x0050: 'MPEG',
  0x0055: 'MP3',
  0x0161: 'Windows Media Audio',
}

/** A chunk of a file: where what it holds begins, and how much that is by its header. */
interface Chunk {
  readonly id: string
  readonly from: number
  readonly size: number
}

const idAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

/** Whether bytes begin as a WAV file does. */
export function isWav(bytes: Uint8Array): boolean {
  return ['RIFF', 'RIFX', 'RF64', 'BW64'].includes(idAt(bytes, 0)) && idAt(bytes, 8) === 'WAVE'
}

/**
 * The samples of a WAV file as they lie.
 * @param name what to call it in errors
 * @throws DataError for what is no WAV file, is compressed, cut short or says what cannot be
 */
export function parseWav(bytes: Uint8Array, name: string): Pcm {
  const id = idAt(bytes, 0)
  if (id === 'RF64' || id === 'BW64') {
    throw new DataError(`${name}: expected a WAV file of less than 4 GiB (RIFF), got ${id}, the kind of longer ones`)
  }
  if (!isWav(bytes)) throw new DataError(`${name}: expected a WAV file, got other contents`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = id === 'RIFF'
  let format: Omit<Pcm, 'bytes'> | undefined
  for (const chunk of chunksOf(bytes, view, little)) {
    if (chunk.id === 'fmt ') format = formatOf(view, chunk, little, name)
    if (chunk.id !== 'data') continue
    if (format === undefined) throw new DataError(`${name}: expected the format before the samples, got none`)
    const { length } = bytes
    const open = chunk.size >= STREAMED || (chunk.size === 0 && view.getUint32(4, little) === 0)
    const size = open ? length - chunk.from : chunk.size
    if (chunk.from + size > length) {
      throw new DataError(`${name}: expected ${size} bytes of samples, got ${length - chunk.from}: it was cut short`)
    }
    const each = format.channels * bytesOf(format.encoding)
    if (!open && size % each !== 0) {
      throw new DataError(`${name}: expected a multiple of ${each} bytes of samples, got ${size}`)
    }
    return { ...format, bytes: bytes.subarray(chunk.from, chunk.from + size) }
  }
  const missing = format === undefined ? 'a format and samples' : 'samples'
  throw new DataError(`${name}: expected a WAV file with ${missing}, got none (${bytes.length} bytes)`)
}

/** The chunks of a file, of which the last may be longer than what is there. Each begins at an even place. */
function* chunksOf(bytes: Uint8Array, view: DataView, little: boolean): Generator<Chunk, void, undefined> {
  let at = 12
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at + 4, little)
    yield { id: idAt(bytes, at), from: at + 8, size }
    at += 8 + size + (size % 2)
  }
}

/** What a chunk `fmt ` says, held to what can be. */
function formatOf(view: DataView, { from, size }: Chunk, little: boolean, name: string): Omit<Pcm, 'bytes'> {
  if (size < 16 || from + size > view.byteLength) {
    const got = Math.min(size, view.byteLength - from)
    throw new DataError(`${name}: expected a format of at least 16 bytes, got ${got}`)
  }
  const [tag, channels, block, bits] = [0, 2, 12, 14].map((at) => view.getUint16(from + at, little)) as [
    number,
    number,
    number,
    number,
  ]
  const kind = tag === EXTENSIBLE ? extensible(view, from, size, little, name) : tag
  const encoding = encodingOf(kind, bits, name)
  if (channels < 1 || block !== channels * bytesOf(encoding)) {
    const expected = `expected blocks of a sample of ${bytesOf(encoding)} bytes for each channel`
    throw new DataError(`${name}: ${expected}, got blocks of ${block} bytes for ${channels} channels`)
  }
  return { rate: view.getUint32(from + 4, little), encoding, channels, byteOrder: little ? 'little' : 'big' }
}

/** The tag that WAVE_FORMAT_EXTENSIBLE has in its identifier. */
function extensible(view: DataView, from: number, size: number, little: boolean, name: string): number {
  const known = size >= 40 && SUBFORMAT.every((byte, i) => view.getUint8(from + 26 + i) === byte)
  if (known) return view.getUint16(from + 24, little)
  throw new DataError(`${name}: expected a format of samples in WAVE_FORMAT_EXTENSIBLE, got another identifier`)
}

function encodingOf(tag: number, bits: number, name: string): SampleEncoding {
  const found =
    tag === PCM ? WHOLE[Math.ceil(bits / 8) - 1] : tag === FLOAT ? FLOATS[bits] : bits === 8 ? LAWS[tag] : undefined
  if (found !== undefined) return found
  const packed = COMPRESSED[tag]
  if (packed !== undefined) {
    throw new DataError(`${name}: expected samples that are not compressed, got ${packed}. Run: ffmpeg -i IN OUT.wav`)
  }
  const expected = 'expected whole numbers of 8 to 32 bits, floats of 32 or 64, mu-law or A-law of 8'
  throw new DataError(`${name}: ${expected}, got ${bits} bits of format ${tag}`)
}

/**
 * The bytes of a WAV file of 16 bits with one channel. What is beyond full scale becomes full scale.
 * @throws DataError for no samples, or samples that are no finite numbers
 * @example const bytes = encodeWav({ samples: Float32Array.of(0, 0.5, -0.5), rate: 16_000 }) // 50 bytes
 */
export function encodeWav(sound: Sound): Uint8Array {
  expectSound('encodeWav', sound)
  return wavOf(wholesOf(sound.samples), sound.rate)
}

/** The bytes of a WAV file of these samples. */
export function wavOf(samples: Int16Array, rate: number): Uint8Array {
  const size = samples.length * 2
  if (size > 0xffff_ffff - 36) {
    throw new DataError(`encodeWav: expected less than 4 GiB of samples, got ${size} bytes`)
  }
  const bytes = new Uint8Array(44 + size)
  const view = new DataView(bytes.buffer)
  const text = (at: number, id: string): void => {
    for (let i = 0; i < 4; i++) bytes[at + i] = id.charCodeAt(i)
  }
  text(0, 'RIFF')
  view.setUint32(4, 36 + size, true)
  text(8, 'WAVE')
  text(12, 'fmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, size, true)
  for (let i = 0; i < samples.length; i++) view.setInt16(44 + 2 * i, samples[i]!, true)
  return bytes
}

/**
 * Writes a sound as a WAV file of 16 bits with one channel, whole or not at all; makes its folder.
 * @throws DataError as `encodeWav`; what the system throws where it cannot be written
 * @example await writeWav('tone.wav', { samples: Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(0.17 * i) / 2), rate: 16_000 })
 */
export async function writeWav(path: string, sound: Sound): Promise<void> {
  const bytes = encodeWav(sound)
  const { placeFile } = await import('../cache.js')
  await placeFile(path, bytes)
}
