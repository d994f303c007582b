// The programs in the documents: each document's TypeScript blocks for users, one after the other, are one program. It is
// compiled against the package's own types and run, with made-up digits in the place of MNIST,
// photographs and a trained network.
import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compiledIn, userFolder } from '../support/user-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
let folder = ''

/** Blocks for users import the package by its name; those that import files by path show files of the repository. */
async function programOf(document: string): Promise<string> {
  const text = await readFile(join(root, document), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!)
  return blocks.filter((block) => !/from '\.\.?\//.test(block)).join('\n')
}

beforeAll(async () => {
  folder = await userFolder()
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

const compiled = async (name: string, program: string): Promise<string> => {
  await writeFile(join(folder, `${name}.ts`), program)
  return compiledIn(folder, [`${name}.ts`])
}

// With the number of lines, the last ones, that end with what was reached: the accuracy on data that is easy to learn, or such a share.
test.for([
  ['README.md', 1],
  ['docs/adding-a-model.md', 1],
  ['docs/training.md', 1],
  ['docs/optimisers.md', 1],
  ['docs/lengths.md', 1],
  ['docs/recurrence.md', 1],
  ['docs/own-loops.md', 3],
  ['docs/fine-tuning.md', 1],
  ['docs/onnx.md', 1],
  ['docs/serving.md', 1],
  ['docs/data.md', 1],
  ['docs/translation.md', 1],
  ['docs/speech.md', 1],
  ['docs/word-vectors.md', 1],
] as const)('the program in %s compiles and runs', { timeout: 120_000 }, async ([document, results]) => {
  const program = await programOf(document)
  expect(program.length).toBeGreaterThan(1000)
  const name = document.replace(/\W/g, '-')
  expect(await compiled(name, program)).toBe('')
  const env = { ...process.env, OSTRICH_DATA: folder }
  const { stdout } = await run(process.execPath, [`${name}.js`], { cwd: folder, env })
  const printed = stdout.trim().split('\n')
  for (const line of printed.slice(-results)) expect(Number(line.split(' ').at(-1)), line).toBeGreaterThan(0.9)
})

test('what docs/coming-from-pytorch.md says is written here compiles', { timeout: 120_000 }, async () => {
  const text = await readFile(join(root, 'docs/coming-from-pytorch.md'), 'utf8')
  const rows = Array.from(text.matchAll(/^\|(.+)\|(.+)\|$/gm), ([, there, here]) => ({ there: there!, here: here! }))
  const shown = rows.flatMap(({ there, here }) => {
    return Array.from(here.matchAll(/`([^`]+)`/g), ([, code]) => ({ there, code: code! })).slice(0, 1)
  })
  expect(shown.length).toBeGreaterThan(60)
  const each = shown.map(({ there, code }, i) => `async function row${i}() {\n  // ${there}\n  ${code}\n}`)
  expect(await compiled('rows', `${await programOf('docs/coming-from-pytorch.md')}\n${each.join('\n')}\n`)).toBe('')
})

test('every message in docs/troubleshooting.md is one of the sources', async () => {
  const text = await readFile(join(root, 'docs/troubleshooting.md'), 'utf8')
  const messages = Array.from(text.matchAll(/^\| `([^`]+)` \|/gm), ([, message]) => message!)
  expect(messages.length).toBeGreaterThan(15)
  const files = ['lib', 'native/addon', 'native/cpu'].map(async (folder) => {
    const names = await readdir(join(root, folder), { recursive: true })
    const sources = names.filter((name) => /\.(ts|cc)$/.test(name))
    return Promise.all(sources.map((name) => readFile(join(root, folder, name), 'utf8')))
  })
  const sources = (await Promise.all(files)).flat().join('\n')
  expect(messages.filter((message) => !sources.includes(message))).toEqual([])
})

test('the lines in docs/adding-an-op.md stand in the files that it names', async () => {
  const text = await readFile(join(root, 'docs/adding-an-op.md'), 'utf8')
  const shown = Array.from(text.matchAll(/((?:^[^\n]+\n)+)\n```(?:ts|cpp)\n(.*?)^```$/gms), ([, before, lines]) => {
    return { path: /`((?:lib|native|test)\/[^`]+\.\w+)`/.exec(before!)?.[1], lines: lines! }
  })
  const pieces = shown.filter(({ path }) => path !== undefined)
  expect(pieces.length).toBeGreaterThan(10)
  for (const { path, lines } of pieces) expect(await readFile(join(root, path!), 'utf8')).toContain(lines)
})

test('every command in README.md exists', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map((match) => match[1]!)
  expect(named.length).toBeGreaterThan(1)
  for (const name of named) expect(scripts).toHaveProperty(name)
  const commands = new Set([...text.matchAll(/`ostrich (\w+)/g)].map((match) => match[1]!))
  expect(commands.size).toBeGreaterThan(5)
  for (const command of commands) {
    const { stdout } = await run(process.execPath, [join(root, 'dist/cli/main.js'), command, '--help'])
    expect(stdout).toContain(`Usage: ostrich ${command}`)
    for (const option of optionsIn(text, command)) expect(stdout).toContain(option)
  }
})

/** The options that the text lists for `train`; other commands are named without any. */
function optionsIn(text: string, command: string): readonly string[] {
  if (command !== 'train') return []
  const [sentence = ''] = /^`train` takes .*$/m.exec(text) ?? []
  return sentence.match(/--\w+/g) ?? []
}
