// ostrich cuda get, beside a python3 that is a script: what pip is asked for, and what is left of a fetch that fails. The real pip and the
// real libraries are in test/cuda/package.mjs.
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const command = join(root, 'dist/cli/main.js')
let folder = ''
const cache = () => join(folder, 'cache/ostrich/cuda')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ostrich-cuda-get-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** A python3 whose pip writes its arguments and a library into the folder that --target names, and ends with the code. */
async function python(version: number, install: number): Promise<void> {
  const script = `#!/bin/sh
for last; do [ "$last" = --version ] && exit ${version}; done
echo "$@" >> "${folder}/asked"
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/nvidia/cudnn/lib" && echo > "$2/nvidia/cudnn/lib/libcudnn.so.9"
exit ${install}
`
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/python3'), script, { mode: 0o755 })
}

async function get(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, XDG_CACHE_HOME: join(folder, 'cache') }
  const run = promisify(execFile)(process.execPath, [command, 'cuda', ...args], { env })
  return run.then(
    (ended) => ({ ...ended, code: 0 }),
    (error: unknown) => error as { code: number; stdout: string; stderr: string },
  )
}

test('it names the licences, has pip check pinned hashes, and says where the libraries are', async () => {
  await python(0, 0)
  const { code, stdout, stderr } = await get('get', '--cuda', '13')
  expect(code).toBe(0)
  expect(stdout).toBe(`${cache()}/13\n`)
  expect(stderr.indexOf('https://docs.nvidia.com/cuda/eula')).toBeGreaterThan(-1)
  expect(stderr.indexOf('https://docs.nvidia.com/cuda/eula')).toBeLessThan(stderr.indexOf('pip install'))
  const asked = await readFile(join(folder, 'asked'), 'utf8')
  expect(asked).toMatch(/-m pip .*install .*--require-hashes/)
  const pins = /-r (\S+)/.exec(asked)![1]!
  const wanted = (await readFile(pins, 'utf8')).split('\n').filter((line) => /^[^#]/.test(line))
  expect(wanted).toHaveLength(3)
  for (const line of wanted) expect(line).toMatch(/^nvidia-[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}$/)
  expect(await readdir(cache())).toEqual(['13'])
  await access(join(cache(), '13/nvidia/cudnn/lib/libcudnn.so.9'))
})

test('with --from nothing is fetched; what was there is replaced, and what an ended fetch left goes', async () => {
  await python(0, 0)
  await mkdir(join(cache(), '12/old'), { recursive: true })
  await mkdir(join(cache(), '12-999999999'))
  const { code } = await get('get', '--cuda', '12', '--from', '/wheels')
  expect(code).toBe(0)
  const asked = await readFile(join(folder, 'asked'), 'utf8')
  expect(asked).toContain('--no-index --find-links /wheels')
  expect(asked).toMatch(/cuda-libraries-12\.txt/)
  expect(await readdir(cache())).toEqual(['12'])
  expect(await readdir(join(cache(), '12'))).toEqual(['nvidia'])
})

test('a fetch that fails leaves what was there, and nothing of its own', async () => {
  await python(0, 1)
  await mkdir(join(cache(), '13/old'), { recursive: true })
  const { code, stderr } = await get('get', '--cuda', '13', '--from', '/wheels')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /cuda get: expected pip to install the wheels of .*cuda-libraries-13\.txt in \/wheels, got exit/,
  )
  expect(await readdir(cache())).toEqual(['13'])
  expect(await readdir(join(cache(), '13'))).toEqual(['old'])
})

test('without pip it says what to install; another word and another version are refused', async () => {
  await python(1, 0)
  expect((await get('get')).stderr).toContain(
    'expected python3 with pip, got none. Install it (Debian, Ubuntu: apt install',
  )
  expect(await get('fetch')).toMatchObject({ code: 2, stderr: 'ostrich: cuda: expected get, got fetch\n' })
  expect(await get('get', '--cuda', '11')).toMatchObject({ code: 2 })
})
