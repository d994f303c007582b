// Holds the borders between rooms: what a file may import is decided by the folder that it lies in (docs/design.md).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const lib = fileURLToPath(new URL('../../lib', import.meta.url))

/** What each room may import besides itself and `base`. `index` is the files of lib itself, which re-export. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  graph: [],
  ops: ['graph'],
  autodiff: ['ops', 'graph'],
  compile: ['ops', 'graph'],
  nn: ['ops', 'graph', 'report'],
  optim: ['ops', 'graph'],
  models: ['nn', 'ops', 'graph'],
  data: [],
  files: [],
  report: [],
  runtime: ['graph'],
  train: ['runtime', 'compile', 'autodiff', 'optim', 'ops', 'graph', 'data', 'files', 'report'],
  infer: ['train', 'compile', 'ops', 'graph', 'data', 'files'],
  solvers: ['runtime', 'compile', 'autodiff', 'ops', 'graph'],
  recipes: ['models', 'data', 'optim', 'nn', 'ops', 'graph', 'train', 'solvers'],
  experiments: ['recipes', 'models', 'data', 'optim', 'nn', 'autodiff', 'ops', 'graph', 'train', 'solvers', 'report'],
  cli: ['experiments', 'recipes', 'infer', 'train', 'runtime', 'models', 'data', 'files', 'report', 'nn', 'graph'],
  index: ['graph', 'ops', 'autodiff', 'nn', 'optim', 'train', 'infer', 'files', 'report', 'runtime', 'data', 'solvers'],
}

interface Import {
  /** A file of lib. */
  readonly from: string
  readonly to: string
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

function room(file: string): string {
  const [first = ''] = relative(lib, file).split(sep)
  return /\.[jt]s$/.test(first) ? 'index' : first
}

/** What a file imports of lib, types and what is imported later too. */
function imports(file: string): Import[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*'(\.[^']+)\.js'/g)
  return Array.from(found, ([, path = '']) => ({ from: file, to: join(dirname(file), `${path}.ts`) }))
}

function said({ from, to }: Import): string {
  return `${relative(lib, from)} -> ${relative(lib, to)}`
}

/** What is left when files that import nothing, or that nothing imports, are taken away until there are none: the circles. */
function circles(all: readonly Import[]): readonly Import[] {
  const [importing, imported] = [new Set(all.map(({ from }) => from)), new Set(all.map(({ to }) => to))]
  const left = all.filter(({ from, to }) => imported.has(from) && importing.has(to))
  return left.length === all.length ? all : circles(left)
}

/** Files that touch the process without being of cli, and why. */
const needProcess: Readonly<Record<string, string>> = {
  'base/surroundings.ts':
    'the one place where the environment is read: data and addon are found without the command line too',
  'data/image/pack-worker.ts': 'runs as a process of its own, whose input and output it reads and writes',
}

/** Whether code uses the process, by its global or an import, but for the versions that it tells. */
function touchesProcess(text: string): boolean {
  const code = text.replace(/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm, '')
  return /\bprocess(?:\.(?!versions\b)|\[)|=\s*process\b|'(?:node:)?process'/.test(code)
}

describe('rooms', () => {
  const all = files(lib).flatMap(imports)

  it('finds the imports that it judges', () => {
    expect(all.length).toBeGreaterThan(100)
    expect(all.filter(({ to }) => !existsSync(to)).map(said)).toEqual([])
  })

  it('knows every room', () => {
    const rooms = new Set(files(lib).map(room))
    expect([...rooms].filter((name) => !(name in allowed))).toEqual([])
  })

  it('lets a room import only what stands on its line', () => {
    const crossings = all.filter((one) => {
      const [from, to] = [room(one.from), room(one.to)]
      return from !== to && to !== 'base' && !(allowed[from] ?? []).includes(to)
    })
    expect(crossings.map(said)).toEqual([])
  })

  it('has no circle of files that import each other', () => {
    expect(circles(all).map(said)).toEqual([])
  })

  it('keeps the process out of every room but cli, and the files that need it', () => {
    const touching = files(lib)
      .filter((file) => room(file) !== 'cli')
      .filter((file) => touchesProcess(readFileSync(file, 'utf8')))
    expect(touching.map((file) => relative(lib, file)).sort()).toEqual(Object.keys(needProcess).sort())
  })

  it.each([
    ["import { env } from 'node:process'", true],
    ["import process from 'process'", true],
    ['const { env } = process', true],
    ["process['env']", true],
    ['process.exit(1)', true],
    ['globalThis.process.env', true],
    ['process.versions.node', false],
    ["throw new Error('expected a process, got none') // process.exit", false],
  ])('knows that %s touches the process: %s', (text, touches) => {
    expect(touchesProcess(text)).toBe(touches)
  })
})
