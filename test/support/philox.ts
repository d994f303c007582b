// Philox4x32-10 in BigInt, written from the paper (Salmon et al. 2011, section 3.3): slow, and independent of the others.

const mask = 0xffffffffn

/** One block of four words at a counter (4 words) and a key (2 words). */
export function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint]
  let [k0, k1] = key as [bigint, bigint]
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2]
    ;[c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask]
    ;[k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask]
  }
  return [c0, c1, c2, c3]
}

/** Words of a block as FORMAT.md lays the counter out: (block low, block high, stream, step), keyed by the seed. */
export function words(block: number, stream: number, step: number, seed: ArrayLike<number>): number[] {
  const unsigned = (x: number) => BigInt(x >>> 0)
  const counter = [BigInt(block) & mask, BigInt(block) >> 32n, unsigned(stream), unsigned(step)]
  return philox(counter, [unsigned(seed[0]!), unsigned(seed[1]!)]).map(Number)
}
