// Every case: what the files `*.case.ts` of this folder export, or what they were compiled to. A new family's file is found
// without being listed.
import { readdirSync } from 'node:fs'
import type { OpCase } from '../support/op-case.js'

const folder = new URL('.', import.meta.url)
const files = readdirSync(folder).filter((name) => /\.case\.[jt]s$/.test(name))
const families = await Promise.all(
  files.sort().map((name) => import(new URL(name, folder).href) as Promise<Record<string, readonly OpCase[]>>),
)

export const cases: readonly OpCase[] = families.flatMap((family) => Object.values(family).flat())
