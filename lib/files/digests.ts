// Digests of a safetensors file: sha256 of each tensor's bytes, and of all that its header says besides, as one entry of its
// metadata. By them a bit that flips on a disk or on its way is found; other readers pass them over, as the file is plain.
// Refused: digests that are none, that name other tensors than the file has, and a header that is not the one that was written.
import type { AtomicWriter } from './atomic-file.js'
import { CheckpointError, type Header } from './safetensors-header.js'

/** The entry of the metadata. */
const KEY = 'ostrich.sha256'
const UNKNOWN = '0'.repeat(64)

/** Bytes that are hashed at once: some tenths of a millisecond on a fast processor, two on a slow one. */
const PIECE = 2 ** 20

/** Digest of each tensor's bytes, by name, in hexadecimal. */
export type Digests = ReadonlyMap<string, string>

/** Fills `into` with a file's bytes from `at` on, counted from the end of the header. @throws CheckpointError where they end */
export type ReadAt = (into: Uint8Array, at: number, where: string) => Promise<void>

/** Takes bytes; tells their sha256 in hexadecimal. */
interface Hasher {
  update(bytes: Uint8Array): void
  digest(): string
}

async function sha256(): Promise<Hasher> {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    digest: () => hash.digest('hex'),
  }
}

/** A header with the digests of its tensors in it, whose length does not depend on them: where one is not known, zeros stand. */
export async function withDigests(header: Header, digests: Digests): Promise<Header> {
  const tensors = Object.fromEntries([...header.tensors.keys()].map((name) => [name, digests.get(name) ?? UNKNOWN]))
  const entry = JSON.stringify({ header: await digestOf(header), tensors })
  return { tensors: header.tensors, metadata: new Map([...header.metadata, [KEY, entry]]) }
}

/**
 * Takes the digests out of a header, and holds all else that it says to its own; without digests where it has none.
 * @throws CheckpointError
 */
export async function takeDigests(header: Header, path: string): Promise<{ header: Header; digests?: Digests }> {
  const entry = header.metadata.get(KEY)
  if (entry === undefined) return { header }
  const rest: Header = {
    tensors: header.tensors,
    metadata: new Map([...header.metadata].filter(([key]) => key !== KEY)),
  }
  const { own, digests } = parse(entry, path)
  const [missing] = [...header.tensors.keys()].filter((name) => !digests.has(name))
  if (missing !== undefined) {
    throw new CheckpointError(`${path}[${missing}]: expected a digest of every tensor, got none of this: damaged`)
  }
  if (own !== (await digestOf(rest)) || digests.size !== header.tensors.size) {
    throw new CheckpointError(`${path}: expected the header that was written, got another by its sha256: damaged`)
  }
  return { header: rest, digests }
}

/** Of names, types and metadata, in an order that no reader or writer changes. */
async function digestOf({ tensors, metadata }: Header): Promise<string> {
  const byName = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  const said = [byName(tensors).map(([name, { dtype, shape }]) => [name, dtype, shape]), byName(metadata)]
  const hash = await sha256()
  hash.update(new TextEncoder().encode(JSON.stringify(said)))
  return hash.digest()
}

function parse(entry: string, path: string): { own: string; digests: Map<string, string> } {
  let value: unknown
  try {
    value = JSON.parse(entry)
  } catch {
    value = undefined
  }
  const { header, tensors } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const list = typeof tensors === 'object' && tensors !== null ? Object.entries(tensors) : undefined
  const isDigest = (one: unknown): one is string => typeof one === 'string' && /^[0-9a-f]{64}$/.test(one)
  if (!isDigest(header) || list?.every((pair): pair is [string, string] => isDigest(pair[1])) !== true) {
    throw new CheckpointError(`${path}[${KEY}]: expected sha256 of the header and of each tensor, got something else`)
  }
  return { own: header, digests: new Map(list) }
}

/** Writes and hashes at the same time, piece by piece, so that the event loop turns; gives the digest. */
export async function writeHashed(file: AtomicWriter, pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = await sha256()
  for await (const data of pieces) {
    for (let at = 0; at < data.length; at += PIECE) {
      const piece = data.subarray(at, at + PIECE)
      const written = file.write(piece)
      hash.update(piece)
      await written
    }
  }
  return hash.digest()
}

/**
 * Holds every tensor to its digest, reading a piece while the one before it is hashed.
 * @throws CheckpointError naming the first tensor that is another
 */
export async function compareDigests(
  read: ReadAt,
  { tensors }: Header,
  digests: Digests,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const buffers = [new Uint8Array(PIECE), new Uint8Array(PIECE)] as const
  for (const [name, { begin, end }] of tensors) {
    const where = `${path}[${name}]`
    const piece = async (at: number): Promise<Uint8Array> => {
      const into = buffers[((at - begin) / PIECE) % 2 === 0 ? 0 : 1].subarray(0, Math.min(PIECE, end - at))
      await read(into, at, where)
      return into
    }
    const hash = await sha256()
    let next = begin < end ? piece(begin) : undefined
    for (let at = begin + PIECE; next !== undefined; at += PIECE) {
      const bytes = await next
      next = at < end ? piece(at) : undefined
      hash.update(bytes)
      onBytes(bytes.length)
    }
    const [expected, got] = [digests.get(name), hash.digest()]
    if (got === expected) continue
    throw new CheckpointError(
      `${where}: expected the bytes that were written, of sha256 ${String(expected)}, got ${got}: damaged`,
    )
  }
}
