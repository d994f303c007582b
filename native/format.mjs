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
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror']
const result = spawnSync(clangFormat, [...mode, ...files], { cwd: root, stdio: 'inherit' })
process.exitCode = result.status ?? 1
