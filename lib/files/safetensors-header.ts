// The header of a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes with the header's length
// (little-endian), that much JSON, then the tensors' bytes. This file checks and makes headers; it opens no file.
// Refused: a header above 100 MB, of too many tensors or nested deeper than a header is, bad UTF-8 or JSON, a name twice, offsets
// that overlap, leave gaps or do not fit the shape.

/** A checkpoint that cannot be read or written; the message names the file, what was expected and what came. */
export class CheckpointError extends Error {
  /** Stable code to test for, whatever the message says. */
  readonly code = 'ERR_CHECKPOINT'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CheckpointError'
  }
}

/** Element types by their name in the file, with the typed array that holds them; 16-bit floats come as raw bits. */
export const ARRAYS = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  BF16: Uint16Array,
  F16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const

/** The name of an element type in a safetensors file. */
export type TensorDtype = keyof typeof ARRAYS

/** The typed array that holds a tensor's elements. */
export type TensorArray = InstanceType<(typeof ARRAYS)[TensorDtype]>

/** Where a tensor lies: `begin` and `end` count bytes from the end of the header. */
export interface TensorEntry {
  readonly dtype: TensorDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** The content of a header. */
export interface Header {
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly metadata: ReadonlyMap<string, string>
}

/** The reference implementation's bound on the JSON part, in bytes. */
export const MOST_HEADER_BYTES = 100_000_000
/** More than any network has; so many are read in a second. */
export const MOST_TENSORS = 100_000
/** Brackets within brackets: the header, an entry, a list of it. */
const MOST_NESTED = 3
const METADATA = '__metadata__'

/** The bytes of a tensor, or undefined when an extent is no whole number or the product leaves the safe integers. */
export function byteLengthOf(dtype: TensorDtype, shape: readonly number[]): number | undefined {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) return undefined
  const bytes = shape.reduce((size, extent) => size * BigInt(extent), BigInt(ARRAYS[dtype].BYTES_PER_ELEMENT))
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined
}

/**
 * Checks the JSON part of a header against the file's size.
 *
 * @param dataBytes bytes of the file behind the header
 * @throws CheckpointError naming the file and the tensor
 */
export function parseHeader(json: Uint8Array, dataBytes: number, path: string): Header {
  const fail = (expected: string, got: string): never => {
    throw new CheckpointError(`${path}: expected ${expected}, got ${got}`)
  }
  if (json[0] !== 0x7b) fail("a header that starts with '{'", `byte ${json[0] ?? 'none'}`)
  checkBrackets(json, path)
  let content: unknown
  let text = ''
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json)
    content = JSON.parse(text)
  } catch (error) {
    const got = error instanceof Error ? error.message.slice(0, 200) : String(error)
    throw new CheckpointError(`${path}: expected a header of UTF-8 JSON, got ${got}`, { cause: error })
  }
  const twice = repeatedKey(text)
  if (twice !== undefined) fail('every name once', `'${twice}' twice`)
  const tensors = new Map<string, TensorEntry>()
  let metadata = new Map<string, string>()
  for (const [name, value] of Object.entries(content as Record<string, unknown>)) {
    if (name === METADATA) metadata = parseMetadata(value, path)
    else tensors.set(name, parseEntry(value, `${path}[${name}]`))
  }
  checkLayout(tensors, dataBytes, path)
  return { tensors, metadata }
}

/** Looks at nothing but brackets outside of strings, so that what a parser would choke on is refused before it is parsed. */
function checkBrackets(json: Uint8Array, path: string): void {
  let [nested, objects, inString] = [0, 0, false]
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (inString) {
      if (character === 0x5c) at++
      else inString = character !== 0x22
    } else if (character === 0x22) inString = true
    else if (character === 0x7b || character === 0x5b) {
      nested++
      if (character === 0x7b) objects++
    } else if (character === 0x7d || character === 0x5d) nested--
    if (nested > MOST_NESTED) {
      throw new CheckpointError(`${path}: expected a header with ${MOST_NESTED} brackets within each other, got more`)
    }
    // The header itself and its metadata are objects too.
    if (objects > MOST_TENSORS + 2) {
      throw new CheckpointError(`${path}: expected a header of at most ${MOST_TENSORS} tensors, got more`)
    }
  }
}

function parseMetadata(value: unknown, path: string): Map<string, string> {
  const entries = isRecord(value) ? Object.entries(value) : undefined
  if (entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string') !== true) {
    throw new CheckpointError(`${path}[${METADATA}]: expected an object of strings, got ${short(value)}`)
  }
  return new Map(entries)
}

function parseEntry(value: unknown, where: string): TensorEntry {
  const fail = (expected: string, got: unknown): never => {
    throw new CheckpointError(`${where}: expected ${expected}, got ${short(got)}`)
  }
  if (!isRecord(value)) return fail('an object with dtype, shape and data_offsets', value)
  const { dtype, shape, data_offsets: offsets } = value as Record<'dtype' | 'shape' | 'data_offsets', unknown>
  const extra = Object.keys(value).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key))
  if (extra !== undefined) fail('only dtype, shape and data_offsets', extra)
  if (!isDtype(dtype)) return fail(`a dtype of ${Object.keys(ARRAYS).join(', ')}`, dtype)
  if (!isNumbers(shape)) return fail('a shape of whole numbers', shape)
  if (!isNumbers(offsets) || offsets.length !== 2) return fail('data_offsets [begin, end] of whole numbers', offsets)
  const [begin = 0, end = 0] = offsets
  const bytes = byteLengthOf(dtype, shape)
  if (bytes === undefined || end - begin !== bytes) {
    fail(`${bytes ?? 'a countable number of'} bytes for ${dtype} [${shape.join(', ')}]`, `offsets [${begin}, ${end}]`)
  }
  return { dtype, shape, begin, end }
}

/** Every byte of the data belongs to exactly one tensor. */
function checkLayout(tensors: ReadonlyMap<string, TensorEntry>, dataBytes: number, path: string): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let at = 0
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== at) {
      const what = begin < at ? 'overlaps the tensor before it' : 'leaves a gap'
      throw new CheckpointError(`${path}[${name}]: expected data at offset ${at}, got ${begin}, which ${what}`)
    }
    at = end
  }
  if (at !== dataBytes) throw new CheckpointError(`${path}: expected ${at} bytes of tensors, got ${dataBytes}`)
}

/** The first key that stands twice in one object of a valid JSON text: JSON.parse keeps the last and says nothing. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfString(text, at)
      // A string before a colon is a key of the innermost object.
      if (/^\s*:/.test(text.slice(end + 1, end + 64))) {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        const keys = open.at(-1)
        if (keys?.has(key) === true) return key
        keys?.add(key)
      }
      at = end
    }
  }
  return undefined
}

/** The place of the quote that closes the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** The header's bytes, its 8-byte length included; padded with spaces so that the data starts at a multiple of 8. */
export function encodeHeader({ tensors, metadata }: Header): Uint8Array {
  const parts: string[] = []
  if (metadata.size > 0) parts.push(`"${METADATA}":${JSON.stringify(Object.fromEntries(metadata))}`)
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`)
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  return bytes
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDtype(value: unknown): value is TensorDtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value)
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

/** The beginning of a value as a message shows it. */
export function short(value: unknown): string {
  try {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined)
    return text === undefined ? 'nothing' : text.slice(0, 80)
  } catch {
    return 'something nested too deeply to be shown'
  }
}
