// The programs in the documents: each document's TypeScript blocks for users, one after the other, are one program. It is
// compiled against the package's own types and run, with made-up digits in the place of MNIST.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDigits } from '../support/digits.js'

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
  folder = await mkdtemp(join(tmpdir(), 'ostrich-readme-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/ostrich'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  await makeDigits(join(folder, 'mnist'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

const documents = ['README.md', 'docs/adding-a-model.md', 'docs/training.md', 'docs/optimisers.md', 'docs/lengths.md']
test.for(documents)('the program in %s compiles and runs', { timeout: 120_000 }, async (document) => {
  const program = await programOf(document)
  expect(program.length).toBeGreaterThan(1000)
  const name = document.replace(/\W/g, '-')
  await writeFile(join(folder, `${name}.ts`), program)
  const types = [
    '--typeRoots',
    join(root, 'node_modules/@types'),
    '--types',
    'node',
    '--lib',
    'es2023,esnext.disposable',
  ]
  const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', ...types]
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const compiled = await run(process.execPath, [compiler, ...options, `${name}.ts`], { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  )
  expect(compiled.stdout).toBe('')
  const env = { ...process.env, OSTRICH_DATA: folder }
  const { stdout } = await run(process.execPath, [`${name}.js`], { cwd: folder, env })
  const printed = stdout.trim().split('\n')
  // The last line ends with the accuracy on data that is easy to learn.
  expect(Number(printed.at(-1)?.split(' ').at(-1))).toBeGreaterThan(0.9)
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
