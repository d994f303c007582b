// Packs what the verification on a GPU needs into .gpu: `ostrich.tar.xz` (node, addon, backends, library, op cases, benchmarks,
// MNIST) and `verify.sh`, for a machine with a driver and Python but without Node.js, compiler or network. Refuses what is
// larger than 60 MiB.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../support/stages.mjs'

export const LIMIT = 60 * 2 ** 20
export const folder = join(root, '.gpu')

const built = ['ostrich.node', 'ostrich_cpu.so', 'ostrich_cuda.so', 'libdnnl.so.3', 'libgomp.so.1']
const copied = ['package.json', 'dist', 'bench/steps', 'bench/peers', 'bench/translation', 'bench/speech']
const own = [
  'verify.mjs',
  'phases.mjs',
  'facts.mjs',
  'properties.py',
  'layers.mjs',
  'trained.mjs',
  'translation.mjs',
  'speech.mjs',
  'words.mjs',
  'video.mjs',
].map((name) => `test/gpu/${name}`)
const mnistFiles = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1']

const must = (command, args, options) => {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: root, ...options })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`)
}

/** Without symbols where `strip` is there, else as it is. */
const copyBinary = (from, to) => {
  mkdirSync(dirname(to), { recursive: true })
  const { status } = spawnSync('strip', ['-o', to, from])
  if (status !== 0) copyFileSync(from, to)
}

const copyMnist = async (tree) => {
  const { getMnist } = await import(pathToFileURL(join(root, 'dist/data/index.js')).href)
  const from = await getMnist()
  const to = join(tree, 'data/mnist')
  mkdirSync(to, { recursive: true })
  for (const name of mnistFiles) copyFileSync(join(from, `${name}-ubyte`), join(to, `${name}-ubyte`))
}

const fill = async (tree) => {
  copyBinary(process.execPath, join(tree, 'node'))
  for (const name of built) {
    const file = join(root, 'build/Release', name)
    if (!existsSync(file)) throw new Error(`pack: expected ${file}, got none; run: npm run gpu:pack`)
    copyBinary(file, join(tree, 'build/Release', name))
  }
  for (const path of [...copied, ...own]) cpSync(join(root, path), join(tree, path), { recursive: true })
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  must(process.execPath, [compiler, '-p', join(root, 'test/gpu/tsconfig.json'), '--outDir', tree])
  await copyMnist(tree)
}

/** Bytes of what was packed. */
export const sizeOf = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

/** Makes the folder anew. */
const pack = async () => {
  const tree = mkdtempSync(join(tmpdir(), 'ostrich-gpu-'))
  try {
    await fill(tree)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const archive = join(folder, 'ostrich.tar.xz')
    must('tar', ['-C', tree, '-cJf', archive, '.'], { env: { ...process.env, XZ_OPT: '-4 -T0' } })
    copyFileSync(join(root, 'test/gpu/verify.sh'), join(folder, 'verify.sh'))
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  await pack()
  const size = sizeOf()
  if (size >= LIMIT) throw new Error(`pack: expected less than ${LIMIT} bytes, got ${size}`)
  console.log(`${folder}: ${(size / 2 ** 20).toFixed(1)} MiB. On a machine with a GPU: bash .gpu/verify.sh`)
}
