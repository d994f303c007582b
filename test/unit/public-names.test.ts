// What users may import, of every entry point of package.json: a name that comes or goes is seen here.
// `npx vitest run test/unit/public-names.test.ts -u` stores the list anew.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const pathOf = (path: string): string => fileURLToPath(new URL(path, root))

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>
}

/** The source of each entry point, by what a program imports. */
function entryPoints(): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8')) as Manifest
  const entries = Object.entries(exports).flatMap(([path, target]): [string, string][] => {
    if (typeof target === 'string') return []
    const source = target.types.replace(/^\.\/dist\//, 'lib/').replace(/\.d\.ts$/, '.ts')
    return [[path.replace(/^\./, 'ostrich'), pathOf(source)]]
  })
  return new Map(entries)
}

interface PublicName {
  readonly name: string
  readonly symbol: ts.Symbol
}

function publicNames(): PublicName[] {
  const entries = entryPoints()
  const program = ts.createProgram([...entries.values()], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    noLib: true,
  })
  const checker = program.getTypeChecker()
  const ofModule = (module: ts.Symbol, prefix: string): PublicName[] =>
    checker.getExportsOfModule(module).flatMap((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
      const name = `${prefix}${exported.name}`
      if ((symbol.flags & ts.SymbolFlags.Module) !== 0) return ofModule(symbol, `${name}.`)
      return [{ name, symbol }]
    })
  return [...entries].flatMap(([specifier, source]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(source)!)
    return ofModule(module!, `${specifier} `)
  })
}

describe('public names', () => {
  const all = publicNames()

  it('are those of the stored list', async () => {
    const lines = all.map(({ name }) => `${name}\n`).sort()
    await expect(lines.join('')).toMatchFileSnapshot('public-names.txt')
  })

  it('are each public once, but for the error of data, which both entry points throw', () => {
    const names = new Map<ts.Symbol, string[]>()
    for (const { name, symbol } of all) names.set(symbol, [...(names.get(symbol) ?? []), name])
    const twice = [...names.values()].filter((same) => same.length > 1)
    expect(twice).toEqual([['ostrich DataError', 'ostrich/data DataError']])
  })
})
