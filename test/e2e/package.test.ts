// The package as a stranger gets it: prebuilt, packed, installed into an empty folder without scripts, then used from an
// ES module, from CommonJS and from TypeScript.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const typescript = join(root, 'node_modules/typescript/bin/tsc')
const MEGABYTE = 1_000_000

// Debian 12's glibc moved the thread functions into libc as of 2.34, so what its toolchain links needs that version.
const NEWEST_GLIBC = [2, 34]

// Each test starts processes of its own, beside other tests on the same cores.
vi.setConfig({ testTimeout: 120_000 })

let folder = ''
let tarball = ''

const run = async (command: string, args: string[], cwd = folder): Promise<string> => {
  const env = { ...process.env, NODE_PATH: '' }
  const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 1 << 28 })
  return stdout
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-package-'))
  await run(process.execPath, [join(root, 'native/prebuild.mjs')])
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  tarball = join(folder, packed.trim())
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  await run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball])
}, 180_000)

afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('the tarball is small and holds what is needed, nothing else', async () => {
  expect((await stat(tarball)).size).toBeLessThan(40 * MEGABYTE)
  const installed = join(folder, 'node_modules/ostrich')
  expect((await readdir(installed)).sort()).toEqual([
    'LICENSE',
    'README.md',
    'dist',
    'docs',
    'native',
    'package.json',
    'prebuilds',
  ])
  expect((await readdir(join(installed, 'prebuilds/linux-x64'))).sort()).toEqual([
    'libdnnl.so.3',
    'libgomp.so.1',
    'licenses',
    'ostrich.glibc.node',
    'ostrich_cpu.so',
  ])
  expect((await readdir(join(installed, 'native/setup'))).sort()).toEqual([
    'cuda-libraries-12.txt',
    'cuda-libraries-13.txt',
  ])
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as { scripts?: object }
  for (const script of ['preinstall', 'install', 'postinstall']) expect(manifest.scripts).not.toHaveProperty(script)
})

test('it holds the guides as plain Markdown, whose links to each other lead somewhere', async () => {
  const docs = join(folder, 'node_modules/ostrich/docs')
  const names = (await readdir(docs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const paths = names.map(({ parentPath, name }) => join(parentPath, name))
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MEGABYTE)
  expect(paths).toContain(join(docs, 'training.md'))
  expect(paths.filter((path) => path.startsWith(join(docs, 'api')))).toEqual([])
  const pages = paths.filter((path) => path.endsWith('.md') && !path.includes('decisions'))
  const broken: string[] = []
  for (const page of [...pages, join(docs, '../README.md')]) {
    for (const [, link = ''] of (await readFile(page, 'utf8')).matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)) {
      // What is for those who work on the package lies beside its sources.
      if (/^(\.\.\/)?(native\/|CONTRIBUTING)/.test(link)) continue
      const found = await stat(join(page, '..', link)).catch(() => undefined)
      if (found === undefined) broken.push(`${page}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

test.for(['libdnnl.so.3', 'libgomp.so.1', 'ostrich.glibc.node', 'ostrich_cpu.so'])(
  '%s needs no newer glibc than documented',
  async (file) => {
    const symbols = await run('objdump', ['-T', join(folder, 'node_modules/ostrich/prebuilds/linux-x64', file)])
    const versions = [...symbols.matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map((match) => [Number(match[1]), Number(match[2])])
    expect(versions.length).toBeGreaterThan(0)
    const tooNew = versions.filter(([major, minor]) => major !== NEWEST_GLIBC[0] || minor! > NEWEST_GLIBC[1]!)
    expect(tooNew).toEqual([])
  },
)

// Two clouds of points, told apart by a small network: ten steps, and the loss goes down.
const TRAINING = `
  const rows = 640
  const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i * 12.9898) + (Math.floor(i / 4) % 2 ? 1 : -1))
  const target = Int32Array.from({ length: rows }, (_, i) => i % 2)
  const net = nn.sequential(nn.linear(4, 16), nn.relu(), nn.linear(16, 2))
  const session = await train.session(net, {
    data: { train: arrays({ x: { data: x, shape: [4] }, target }) },
    loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 0.1, momentum: 0.9 }), batch: 64, epochs: 1, device: 'cpu', seed: 1 })
  const losses = []
  for await (const event of session.events()) if (event.type === 'step') losses.push(event.loss)
  await session.dispose()
  console.log(JSON.stringify(losses))
`

const expectTenSteps = (output: string): void => {
  const losses = JSON.parse(output) as number[]
  expect(losses).toHaveLength(10)
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2)
}

test('an ES module trains ten steps', async () => {
  const user = `import { nn, optim, train } from 'ostrich'\nimport { arrays } from 'ostrich/data'\n${TRAINING}`
  await writeFile(join(folder, 'user.mjs'), user)
  expectTenSteps(await run(process.execPath, ['user.mjs']))
})

test('a CommonJS module trains ten steps', async () => {
  const imports = `const { nn, optim, train } = require('ostrich')\nconst { arrays } = require('ostrich/data')\n`
  await writeFile(join(folder, 'user.cjs'), `${imports}void (async () => {${TRAINING}})()\n`)
  expectTenSteps(await run(process.execPath, ['user.cjs']))
})

test('an error names the line of the program that made it', async () => {
  const user = `import { feed, ops, trace } from 'ostrich'
const matrix = (name) => feed(name, 'f32', [2, 3])
trace({ name: 'wrong' }, () => ({ y: ops.matmul(matrix('a'), matrix('b')) }))
`
  await writeFile(join(folder, 'wrong.mjs'), user)
  await expect(run(process.execPath, ['wrong.mjs'])).rejects.toThrow(/\(at .*wrong\.mjs:3:/)
})

test('the command runs', async () => {
  expect(await run('npx', ['--no', '--', 'ostrich', '--help'])).toContain('train')
})

test('what decodes images says what to install where sharp is not', async () => {
  const packing = run('npx', ['--no', '--', 'ostrich', 'data', 'pack', '.', 'packed'])
  await expect(packing).rejects.toThrow(
    /expected the package sharp, which decodes images, got none\. Run: npm install sharp/,
  )
})

test('what reads FLAC says what to install where its decoder is not', async () => {
  // A file of one sample: the mark, the length of the first block, sizes of blocks and frames, 16 kHz and 16 bits, no digest.
  const flac = `664c6143 00000022 10001000 000000 000000 03e800f000000001 ${'00'.repeat(16)}`.replaceAll(' ', '')
  const program = `import { readSound } from 'ostrich/data'\nawait readSound(Buffer.from('${flac}', 'hex'))\n`
  await writeFile(join(folder, 'flac.mjs'), program)
  await expect(run(process.execPath, ['flac.mjs'])).rejects.toThrow(
    /expected the package @wasm-audio-decoders\/flac, which decodes FLAC, got none\. Run: npm install @wasm-audio-decoders\/flac/,
  )
})

test.for([
  ['node16', 'node16'],
  ['esnext', 'bundler'],
])('types resolve with module %s and moduleResolution %s', async ([module, moduleResolution]) => {
  const source = `import { nn } from 'ostrich'
import * as data from 'ostrich/data'
import * as models from 'ostrich/models'
import * as recipes from 'ostrich/recipes'
export const used = [data, models, recipes]
export const good = nn.sequential(nn.linear(784, 512), nn.relu(), nn.linear(512, 10))
// @ts-expect-error 512 features do not join 256
export const bad = nn.sequential(nn.linear(784, 512), nn.linear(256, 10))
`
  await writeFile(join(folder, 'user.mts'), source)
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node', '--target', 'es2023']
  const options = ['--noEmit', '--strict', '--module', module!, '--moduleResolution', moduleResolution!, ...types]
  expect(await run(process.execPath, [typescript, ...options, 'user.mts'])).toBe('')
})
