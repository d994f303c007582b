// Numbers as people read them.

/** A number with commas between each three digits before the point: `1,281,167`. */
export function grouped(value: number): string {
  const [whole = '', ...rest] = String(value).split('.')
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...rest].join('.')
}
