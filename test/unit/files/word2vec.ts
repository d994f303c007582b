// A few word vectors, and their bytes in the formats of word2vec.
export const encoder = new TextEncoder()

/** Bytes in pieces of this size. */
export async function* stream(bytes: Uint8Array, piece = bytes.length): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += piece) yield await Promise.resolve(bytes.subarray(at, at + piece))
}

/** A file in the binary format; `end` is what stands behind each row. */
export function binary(rows: readonly (readonly [string, ...number[]])[], end = '', header?: string): Uint8Array {
  const parts: Uint8Array[] = [encoder.encode(header ?? `${rows.length} ${rows[0]!.length - 1}\n`)]
  for (const [word, ...numbers] of rows) {
    parts.push(encoder.encode(`${word} `), new Uint8Array(Float32Array.from(numbers).buffer), encoder.encode(end))
  }
  return Buffer.concat(parts)
}

export const rows = [
  ['king', 1, -2.5, 0.25],
  ['größe', 0.5, 4, -1e-3],
  ['日本', 3e5, 0, 7],
] as const
export const words = rows.map(([word]) => word)
export const numbers = Float32Array.from(rows.flatMap(([, ...own]) => own))
export const text = encoder.encode('3 3\nking 1 -2.5 0.25\ngröße 0.5 4 -1e-3\n日本 3e5 0 7\n')
