// Writes messages of Protocol Buffers: numbered fields, each a varint, four or eight bytes, or a length and bytes. Large bytes are kept as they
// are given and never copied, so that a message may be as large as what it holds.

const VARINT = 0
const BYTES = 2
const FOUR_BYTES = 5
const EIGHT_BYTES = 1

/** A message that is being put together. */
export class ProtobufMessage {
  readonly #parts: Uint8Array[] = []
  #length = 0

  /** Bytes of all fields. */
  get length(): number {
    return this.#length
  }

  /** What it consists of, in order. */
  get parts(): readonly Uint8Array[] {
    return this.#parts
  }

  /** An integer, of up to 53 bits; negative ones as 64 bits. */
  int(field: number, value: number): this {
    return this.#add(varint((field << 3) | VARINT)).#add(varint(value))
  }

  float(field: number, value: number): this {
    return this.#add(varint((field << 3) | FOUR_BYTES)).#add(new Uint8Array(Float32Array.of(value).buffer))
  }

  double(field: number, value: number): this {
    return this.#add(varint((field << 3) | EIGHT_BYTES)).#add(new Uint8Array(Float64Array.of(value).buffer))
  }

  /** A list of doubles, packed. */
  doubles(field: number, values: readonly number[]): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer))
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#add(varint((field << 3) | BYTES))
      .#add(varint(value.length))
      .#add(value)
  }

  message(field: number, value: ProtobufMessage): this {
    this.#add(varint((field << 3) | BYTES)).#add(varint(value.length))
    for (const part of value.parts) this.#add(part)
    return this
  }

  #add(part: Uint8Array): this {
    this.#parts.push(part)
    this.#length += part.length
    return this
  }
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
