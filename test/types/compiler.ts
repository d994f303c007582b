// Compiles a text as if it were a file of this folder, with the project's own options.
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const folder = dirname(fileURLToPath(import.meta.url))
const root = resolve(folder, '../..')
const config = ts.readConfigFile(resolve(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
const imports = "import { type Tensor } from '../../lib/graph/index.js'\nimport * as nn from '../../lib/nn/index.js'\n"

export interface Compiled {
  /** Messages of all errors, with the explanations below them. */
  readonly errors: readonly string[]
  /** Milliseconds for checking, without reading files. */
  readonly ms: number
  /** How many types were made; the same on every machine. */
  readonly types: number
}

let before: ts.Program | undefined

/** Checks `source`, in which `nn` and `Tensor` are imported. */
export function compile(source: string): Compiled {
  const path = resolve(folder, 'compiled.ts')
  const text = `${imports}${source}\nexport type { Tensor }\nexport { nn }\n`
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : read(name, ...rest)
  const exists = host.fileExists.bind(host)
  host.fileExists = (name) => name === path || exists(name)
  const program = ts.createProgram({ rootNames: [path], options, host, ...(before && { oldProgram: before }) })
  before = program
  const file = program.getSourceFile(path)
  const start = performance.now()
  const found = program.getSemanticDiagnostics(file)
  return {
    errors: found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ms: performance.now() - start,
    types: program.getInstantiationCount(),
  }
}

/** Checks a file of this folder. */
export function compileFile(name: string): readonly string[] {
  const path = resolve(folder, name)
  const program = ts.createProgram({ rootNames: [path], options })
  const found = program.getSemanticDiagnostics(program.getSourceFile(path))
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}
