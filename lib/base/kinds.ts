// What a value may be, each kind with its words in a message. Ranges are the affair of who takes a number, but for whole ones.

/** A test of a value, and what it tests for in words. */
export interface Kind {
  /** What is expected, as in `expected a number`. */
  readonly words: string
  readonly accepts: (value: unknown) => boolean
  /** Whether the option must be there. */
  readonly needed?: boolean
}

/** A kind of one's own. */
export function kind(words: string, accepts: (value: unknown) => boolean): Kind {
  return { words, accepts }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** NaN among them: who has a range for the number refuses it there. */
export const number = kind('a number', (value) => typeof value === 'number')
/** Where there is no range. */
export const finite = kind('a finite number', (value) => Number.isFinite(value))
export const positive = kind('a number above 0', (value) => Number.isFinite(value) && Number(value) > 0)
export const notNegative = kind('a number of at least 0', (value) => Number.isFinite(value) && Number(value) >= 0)
/** A share. */
export const share = kind('a number from 0 to 1', (value) => notNegative.accepts(value) && Number(value) <= 1)
/** A share that leaves something. */
export const fraction = kind('a number from 0 to below 1', (value) => notNegative.accepts(value) && Number(value) < 1)
export const flag = kind('true or false', (value) => typeof value === 'boolean')
export const text = kind('a text', (value) => typeof value === 'string')
export const callable = kind('a function', (value) => typeof value === 'function')
export const object = kind('an object', isObject)
export const anything = kind('anything', () => true)
export const numbers = kind('a list of numbers', (value) => Array.isArray(value) && value.every(number.accepts))
/** What has these properties that can be called. */
export function withMethods(words: string, ...names: readonly string[]): Kind {
  return kind(words, (value) => {
    const able = isObject(value) || typeof value === 'function'
    return able && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  })
}
/** Something that tells when to stop. */
export const signal = kind('an AbortSignal', (value) => isObject(value) && 'aborted' in value)

/** One of a few values. */
export function oneOf(...values: readonly (string | number | boolean)[]): Kind {
  return kind(values.join(', '), (value) => values.some((one) => one === value))
}

/** A whole number of at least `least`, and at most `most`. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Kind {
  const words = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  return kind(
    `a whole number ${words}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  )
}

/** One whole number of at least `least`, or [height, width] of them. */
export function pair(least: number): Kind {
  return wholes(least, 'or two of them', 2)
}

/** What lies around each side: one whole number, [height, width], or [top, left, bottom, right]. */
export const padding = wholes(0, 'two or four of them', 2, 4)

function wholes(least: number, more: string, ...lengths: readonly number[]): Kind {
  const one = whole(least)
  return kind(`${one.words}, ${more}`, (value) => {
    return one.accepts(value) || (Array.isArray(value) && lengths.includes(value.length) && value.every(one.accepts))
  })
}

/** An odd number: of places around one in the middle. */
export function odd(most: number): Kind {
  const counts = whole(1, most)
  return kind(`an odd number from 1 to ${most}`, (value) => counts.accepts(value) && Number(value) % 2 === 1)
}

/** A list of what is of one kind. */
export function listOf(items: Kind, plural: string): Kind {
  return kind(`a list of ${plural}`, (value) => Array.isArray(value) && value.every(items.accepts))
}

/** An instance of a class. */
export function instance(words: string, type: abstract new (...args: never[]) => unknown): Kind {
  return kind(words, (value) => value instanceof type)
}

/** One kind or another. */
export function either(...kinds: readonly Kind[]): Kind {
  const words = kinds.map((one) => one.words)
  return kind(words.join(' or '), (value) => kinds.some((one) => one.accepts(value)))
}

/** An option that has no default. */
export function needed(one: Kind): Kind {
  return { ...one, needed: true }
}

/** A value in a message: short, and enough to find it by. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (value instanceof Promise) return 'a promise'
  if (!isObject(value)) return String(value)
  if (Array.isArray(value)) {
    const plain = value.length <= 8 && value.every((item) => !isObject(item) && typeof item !== 'function')
    return plain ? `[${value.map(shown).join(', ')}]` : `a list of ${value.length}`
  }
  const { constructor } = value as { constructor?: { name?: string } }
  if (constructor === undefined || constructor === Object) {
    const keys = Object.keys(value)
    return keys.length === 0 ? '{}' : `an object with ${keys.slice(0, 6).join(', ')}`
  }
  return constructor.name === undefined || constructor.name === '' ? 'an object' : `an object of ${constructor.name}`
}
