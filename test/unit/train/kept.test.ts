// What is kept by kind, and what is given up.
import { expect, it } from 'vitest'
import { Kept } from '../../../lib/train/kept.js'

it('makes each once, and gives up what was used longest ago', async () => {
  const [made, dropped]: string[][] = [[], []]
  const kept = new Kept<string>(2, (value) => dropped!.push(value))
  const make = (key: string) => () => {
    made!.push(key)
    return Promise.resolve(key)
  }
  await Promise.all([kept.made('a', make('a')), kept.made('a', make('a'))])
  await kept.made('b', make('b'))
  expect(made).toEqual(['a', 'b'])
  expect(kept.get('a')).toBe('a')
  await kept.made('c', make('c'))
  expect(dropped).toEqual(['b'])
  expect(kept.get('b')).toBeUndefined()
  await kept.made('a', make('a'))
  await kept.made('b', make('b'))
  expect(dropped).toEqual(['b', 'c'])
  expect(made).toEqual(['a', 'b', 'c', 'b'])
  kept.clear()
  expect(dropped!.sort()).toEqual(['a', 'b', 'b', 'c'])
  expect(kept.get('a')).toBeUndefined()
})

it('makes again what failed', async () => {
  const kept = new Kept<number>(2, () => undefined)
  await expect(kept.made('a', () => Promise.reject(new Error('no room')))).rejects.toThrow('no room')
  expect(await kept.made('a', () => Promise.resolve(3))).toBe(3)
})
