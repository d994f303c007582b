// Numbers that follow from their position by whole-number arithmetic, the same in TypeScript and in NumPy.

/** `length` numbers in [-1/2, 1/2) in no visible order, times `scale`. */
export function pattern<T extends Float32Array | Float64Array>(into: T, seed: number, scale = 1): T {
  for (let i = 0; i < into.length; i++) {
    const mixed = ((i % 1009) * (i % 1013) + (i % 509) * 31 + seed * 7919) % 2003
    into[i] = (mixed / 2003 - 0.5) * scale
  }
  return into
}
