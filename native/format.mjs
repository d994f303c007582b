// Runs clang-format, which comes with the npm packages, over every C++ file: `--write` to fix, otherwise to check.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const clangFormat = join(root, 'node_modules/clang-format/bin/linux_x64/clang-format')

// `ops.def` is a list of macro calls, one a line, and stays so.
const sources = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return sources(path)
      return /\.(cc|h|cu|cuh)$/.test(entry.name) ? [path] : []
    })

const files = [...sources('native'), ...sources('test/native')]
const format = (...mode) =>
  spawnSync(clangFormat, [...mode, ...files], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })

const result = process.argv.includes('--write') ? format('-i') : format('--dry-run', '--Werror')
if (result.status !== 0) {
  const bad = new Set([...result.stderr.matchAll(/^(\S+?):\d+:/gm)].map((match) => match[1]))
  for (const file of bad) console.error(`[clang-format] ${file}`)
  console.error(bad.size > 0 ? 'Run `npm run format`.' : result.stderr)
  process.exitCode = 1
}
