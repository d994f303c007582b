// ostrich cuda: fetches what the CUDA backend opens and the package may not carry, NVIDIA's cuBLASLt and cuDNN, through the user's own pip.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../data/folder.js'
import { DeviceError, diagnose } from '../runtime/index.js'
import { command, type Output, UsageError } from './command.js'

const versions = ['12', '13'] as const
type Version = (typeof versions)[number]

const licences = [
  'cuBLASLt, cuDNN and NVRTC are NVIDIA’s, under its own licences, not that of Ostrich. To use them is to accept these:',
  '  cuBLASLt, NVRTC  https://docs.nvidia.com/cuda/eula/index.html',
  '  cuDNN            https://docs.nvidia.com/deeplearning/cudnn/backend/latest/reference/eula.html',
]

export const cuda = command({
  name: 'cuda',
  summary: 'fetch the libraries that a GPU needs',
  arguments: ['get'],
  first: ['get'],
  about: [
    'Fetches NVIDIA’s cuBLASLt and cuDNN (about 1 GB, versions and hashes pinned) by `python3 -m pip` into the cache folder',
    '(~/.cache/ostrich/cuda). They are the last that are looked for: after $OSTRICH_CUDA_LIBRARIES, the system’s, those of $CUDA_HOME',
    'and those of the Python environment. `ostrich doctor` says which were taken. The driver is not among them: install it first.',
  ].join('\n'),
  options: {
    cuda: { type: 'text', value: 'version', help: 'default: of the driver; 13 where there is none', choices: versions },
    from: { type: 'text', value: 'folder', help: 'wheels that pip downloaded elsewhere; nothing is fetched' },
  },
  examples: [
    'ostrich cuda get',
    'pip download --no-deps --require-hashes -r node_modules/ostrich/native/setup/cuda-libraries-13.txt -d wheels',
    'ostrich cuda get --from wheels',
  ],
  run: async ({ cuda: chosen, from }, [action = ''], output) => {
    if (action !== 'get') throw new UsageError(`cuda: expected get, got ${action}`)
    await expectPip()
    const version = (chosen as Version | undefined) ?? versionOfDriver()
    const folder = join(cacheFolder('cuda'), version)
    for (const line of licences) output.note(line)
    output.line(await fetchInto(folder, version, from, output))
    output.note('Whether they are taken: ostrich doctor')
    return 0
  },
})

/** Libraries of CUDA 13 need a driver of CUDA 13; of an older driver, those of CUDA 12. */
function versionOfDriver(): Version {
  const driver = diagnose().versions['CUDA driver']
  return driver !== undefined && Number.parseInt(driver) < 13 ? '12' : '13'
}

/** All of them, or nothing is there. @returns the folder */
async function fetchInto(folder: string, version: Version, from: string | undefined, output: Output): Promise<string> {
  const pins = fileURLToPath(new URL(`../../native/setup/cuda-libraries-${version}.txt`, import.meta.url))
  const staged = `${folder}-${process.pid}`
  await mkdir(dirname(folder), { recursive: true })
  await removeLeft(dirname(folder))
  const install = ['install', '--no-deps', '--only-binary', ':all:', '--require-hashes', '--no-compile']
  const source = from === undefined ? ['--no-cache-dir'] : ['--no-index', '--find-links', from]
  try {
    const code = await pip([...install, ...source, '--target', staged, '-r', pins], output)
    if (code !== 0) {
      const where = from === undefined ? 'the libraries' : `the wheels of ${pins} in ${from}`
      throw new DeviceError('ERR_NO_DEVICE', `cuda get: expected pip to install ${where}, got exit code ${code}`)
    }
    await rm(folder, { recursive: true, force: true })
    await rename(staged, folder)
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
  return folder
}

/** What earlier fetches left that were ended on their way. */
async function removeLeft(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, id] = /^\d+-(\d+)$/.exec(name) ?? []
    if (id !== undefined && !isRunning(Number(id))) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0)
  } catch {
    return false
  }
}

async function expectPip(): Promise<void> {
  const asked = spawn('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' })
  const [code] = (await once(asked, 'close').catch(() => [1])) as [number]
  if (code === 0) return
  const remedy = 'Install it (Debian, Ubuntu: apt install python3-pip), or install cuBLAS and cuDNN by hand'
  throw new DeviceError('ERR_NO_DEVICE', `cuda get: expected python3 with pip, got none. ${remedy}`)
}

/** pip with its own progress, on stderr. @returns its exit code */
async function pip(args: readonly string[], output: Output): Promise<number> {
  output.note(`python3 -m pip ${args.join(' ')}`)
  const child = spawn('python3', ['-m', 'pip', '--disable-pip-version-check', ...args], { stdio: ['ignore', 2, 2] })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal !== null) output.note(`pip was ended by ${signal}`)
  return code ?? 1
}
