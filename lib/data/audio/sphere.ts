// NIST SPHERE files, in which TIMIT and AN4 are: a header of text, and samples of one or two bytes of either order, mu-law or A-law. Refuses by
// name what is compressed, and what ends before its header says.
import { DataError } from '../errors.js'
import { bytesOf, type Pcm, type SampleEncoding } from './pcm.js'

const MAGIC = 'NIST_1A'
/** Bytes of the longest header that is read; it is a multiple of 1,024. */
const MOST_HEADER = 2 ** 20

/** Whether bytes begin as a SPHERE file does. */
export function isSphere(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, MAGIC.length)) === MAGIC
}

/**
 * The samples of a SPHERE file as they lie.
 * @param name what to call it in errors
 * @throws DataError for what is no SPHERE file, is compressed, cut short or says what cannot be
 */
export function parseSphere(bytes: Uint8Array, name: string): Pcm {
  if (!isSphere(bytes)) throw new DataError(`${name}: expected a NIST SPHERE file, got other contents`)
  const size = headerBytes(bytes, name)
  const fields = fieldsOf(bytes.subarray(0, size), name)
  const whole = (field: string, usual?: number): number => wholeOf(fields, field, usual, name)
  const coding = (fields.get('sample_coding') ?? 'pcm').toLowerCase()
  const packed = /embedded-(\w+)/.exec(coding)?.[1]
  if (packed !== undefined) {
    const how = 'Run: sph2pipe -f wav IN.sph OUT.wav'
    throw new DataError(`${name}: expected samples that are not compressed, got ${packed} (${coding}). ${how}`)
  }
  const encoding = encodingOf(coding, whole('sample_n_bytes', coding === 'pcm' ? undefined : 1), name)
  const channels = whole('channel_count', 1)
  const rate = whole('sample_rate')
  if (channels < 1) throw new DataError(`${name}: expected a channel, got channel_count ${channels}`)
  if (channels > 1 && fields.get('channels_interleaved')?.toUpperCase() === 'FALSE') {
    throw new DataError(`${name}: expected samples of all channels in turn, got channels_interleaved FALSE`)
  }
  const each = channels * bytesOf(encoding)
  const there = Math.floor((bytes.length - size) / each)
  const count = whole('sample_count', there)
  if (count > there) {
    throw new DataError(`${name}: expected ${count} samples of each channel, got ${there}: it was cut short`)
  }
  const byteOrder = encoding === 's16' ? orderOf(fields, name) : 'little'
  return { bytes: bytes.subarray(size, size + count * each), rate, encoding, byteOrder, channels }
}

/** The second line says how long the header is. */
function headerBytes(bytes: Uint8Array, name: string): number {
  const start = String.fromCharCode(...bytes.subarray(0, 32))
  const size = Number(/^NIST_1A\n\s*(\d{1,8})\n/.exec(start)?.[1] ?? NaN)
  if (!(size >= 16 && size <= MOST_HEADER)) {
    throw new DataError(`${name}: expected the size of the header in its second line, got ${JSON.stringify(start)}`)
  }
  if (size > bytes.length) {
    throw new DataError(`${name}: expected a header of ${size} bytes, got ${bytes.length}: it was cut short`)
  }
  return size
}

/** Lines of a name, a type and a value, up to `end_head`: `sample_rate -i 16000`, `sample_coding -s3 pcm`. */
function fieldsOf(header: Uint8Array, name: string): ReadonlyMap<string, string> {
  const lines = new TextDecoder('latin1').decode(header).split('\n').slice(2)
  const end = lines.findIndex((line) => line.trim() === 'end_head')
  if (end < 0) throw new DataError(`${name}: expected a header with a line end_head, got none`)
  const found = lines.slice(0, end).flatMap((line): [string, string][] => {
    const [, field, value] = /^(\S+)\s+-(?:i|r|s\d+)\s+(.*?)\s*$/.exec(line) ?? []
    return field === undefined || value === undefined ? [] : [[field, value]]
  })
  return new Map(found)
}

function wholeOf(fields: ReadonlyMap<string, string>, field: string, usual: number | undefined, name: string): number {
  const text = fields.get(field)
  if (text === undefined && usual !== undefined) return usual
  const value = Number(text ?? NaN)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new DataError(`${name}: expected ${field} as a whole number in the header, got ${text ?? 'none'}`)
}

function encodingOf(coding: string, bytes: number, name: string): SampleEncoding {
  if (coding === 'pcm' && bytes <= 2 && bytes > 0) return bytes === 1 ? 's8' : 's16'
  if ((coding === 'ulaw' || coding === 'mu-law') && bytes === 1) return 'ulaw'
  if (coding === 'alaw' && bytes === 1) return 'alaw'
  const expected = 'expected samples pcm of 1 or 2 bytes, ulaw or alaw of 1'
  throw new DataError(`${name}: ${expected}, got ${coding} of ${bytes}`)
}

/** `01`: the low byte first. */
function orderOf(fields: ReadonlyMap<string, string>, name: string): Pcm['byteOrder'] {
  const order = fields.get('sample_byte_format')
  if (order === '01') return 'little'
  if (order === '10') return 'big'
  throw new DataError(`${name}: expected sample_byte_format 01 or 10, got ${order ?? 'none'}`)
}
