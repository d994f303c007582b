// The programs in docs/examples, as a user would run them: short, without casts, and each ends with what it reached.
import { execFile } from 'node:child_process'
import { copyFile, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compiledIn, userFolder } from '../support/user-folder.js'

const examples = fileURLToPath(new URL('../../docs/examples', import.meta.url))
const run = promisify(execFile)
const names = (await readdir(examples)).filter((name) => name.endsWith('.mts'))
let folder = ''
let said = ''

beforeAll(async () => {
  folder = await userFolder()
  for (const name of names) await copyFile(join(examples, name), join(folder, name))
  said = await compiledIn(folder, names)
}, 120_000)

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('the examples', () => {
  it('are ten, and compile against the types of the package', () => {
    expect(names.length).toBeGreaterThanOrEqual(10)
    expect(said).toBe('')
  })

  it.each(names)('%s is short, without casts, and reaches what it says', { timeout: 120_000 }, async (name) => {
    const text = await readFile(join(examples, name), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(41)
    expect(text.replace(/\/\/.*/g, '')).not.toMatch(/ as (?!const)\w|: any\b|@ts-/)
    const env = { ...process.env, OSTRICH_DATA: folder }
    const { stdout } = await run(process.execPath, [name.replace('.mts', '.mjs')], { cwd: folder, env })
    const last = stdout.trim().split('\n').at(-1)!
    expect(Number(last.split(' ').at(-1)), last).toBeGreaterThan(0.9)
  })
})
