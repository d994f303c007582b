// Holds the borders between rooms: what a file may import is decided by the folder that it lies in (docs/design.md).
import { readdirSync, readFileSync } from 'node:fs'
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
  readonly from: string
  readonly to: string
  readonly line: string
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

function imports(file: string): Import[] {
  const found: Import[] = []
  for (const match of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const target = join(dirname(file), match[1] ?? '')
    found.push({ from: room(file), to: room(target), line: `${relative(lib, file)} -> ${match[1] ?? ''}` })
  }
  return found
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
}

describe('rooms', () => {
  const all = files(lib).flatMap(imports)

  it('finds the imports that it judges', () => {
    expect(all.length).toBeGreaterThan(100)
  })

  it('knows every room', () => {
    const rooms = new Set(files(lib).map(room))
    expect([...rooms].filter((name) => !(name in allowed))).toEqual([])
  })

  it('lets a room import only what stands on its line', () => {
    const crossings = all.filter(({ from, to }) => from !== to && to !== 'base' && !(allowed[from] ?? []).includes(to))
    expect(crossings.map((crossing) => crossing.line)).toEqual([])
  })

  it('keeps the process out of every room but cli', () => {
    const touching = files(lib)
      .filter((file) => room(file) !== 'cli')
      .filter((file) => /\bprocess\.(?!versions)/.test(withoutComments(readFileSync(file, 'utf8'))))
    expect(touching.map((file) => relative(lib, file))).toEqual([])
  })
})
