// The site of `npm run docs`: built without a warning, searchable, with every guide and every public name.
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const site = join(root, 'docs/.vitepress/dist')
let printed = ''

beforeAll(async () => {
  const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', 'docs'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    maxBuffer: 1 << 26,
  })
  printed = stdout + stderr
}, 300_000)

test('is built without a warning', () => {
  expect(printed).toContain('build complete')
  expect(printed.split('\n').filter((line) => /warn|\(!\)|dead link/i.test(line))).toEqual([])
})

test('has a page for every guide, each on the list at its side', async () => {
  const guides = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
  const pages = await readdir(join(site, 'docs'))
  expect(guides.filter((name) => !pages.includes(name.replace(/\.md$/, '.html')))).toEqual([])
  const config = await readFile(join(root, 'docs/.vitepress/config.mjs'), 'utf8')
  expect(guides.filter((name) => !config.includes(`'${name.slice(0, -3)}'`))).toEqual([])
})

test('is searched and read without a network', async () => {
  const index = await readFile(join(site, 'index.html'), 'utf8')
  expect(index.match(/(?:src|href)="https?:\/\/[^"]+\.(?:js|css|woff2)"/g) ?? []).toEqual([])
  const assets = await readdir(join(site, 'assets/chunks'))
  const found = assets.find((name) => name.includes('localSearchIndex'))
  expect(found).toBeDefined()
  expect(await readFile(join(site, 'assets/chunks', found!), 'utf8')).toContain('sequenceMask')
})

test('is small enough to be looked at', async () => {
  const files = (await readdir(site, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60e6)
})
