// Finds a Python with PyTorch: $OSTRICH_PYTHON, else a virtual environment in $OSTRICH_PEERS or the user's cache, made once.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const packages = ['torch==2.15.*', 'numpy']

const hasTorch = (python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0

const must = (command, args) => {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`)
}

/** Path of the interpreter. Installing PyTorch takes about 5 GB, as its package brings the CUDA libraries. */
export function pythonWithTorch() {
  const { OSTRICH_PYTHON: given, OSTRICH_PEERS: own, XDG_CACHE_HOME: cache } = process.env
  if (given) {
    if (hasTorch(given)) return given
    throw new Error(`OSTRICH_PYTHON: expected a Python that imports torch, got ${given}`)
  }
  const folder = own || join(cache || join(homedir(), '.cache'), 'ostrich/peers')
  const python = join(folder, 'venv/bin/python')
  if (existsSync(python) && hasTorch(python)) return python
  process.stderr.write(`installing ${packages.join(' ')} into ${folder} (once, about 5 GB)\n`)
  mkdirSync(folder, { recursive: true })
  must('python3', ['-m', 'venv', join(folder, 'venv')])
  must(python, ['-m', 'pip', 'install', '--quiet', ...packages])
  return python
}

/** The same, with further packages by the names of their modules: what is absent is installed. */
export function pythonWith(more) {
  const python = pythonWithTorch()
  const absent = Object.keys(more).filter((name) => spawnSync(python, ['-c', `import ${name}`]).status !== 0)
  if (absent.length > 0) must(python, ['-m', 'pip', 'install', '--quiet', ...absent.map((name) => more[name])])
  return python
}
