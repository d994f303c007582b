// Enough of XML for what is drawn here.
import { expect } from 'vitest'

/** The texts between tags; throws unless every tag is closed in order and every attribute quoted. */
export function parseXml(text: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  const token = /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy
  let at = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, closing, name = '', , single, words] = match
    if (words !== undefined) texts.push(words.trim())
    else if (closing === '/') expect(open.pop()).toBe(name)
    else if (single !== '/') open.push(name)
    at = token.lastIndex
  }
  expect(text.slice(at)).toBe('')
  expect(open).toEqual([])
  return texts.filter((words) => words !== '')
}
