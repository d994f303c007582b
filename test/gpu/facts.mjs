// Where the unpacked tree finds what it needs, and what is known of the machine.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export const tree = join(import.meta.dirname, '../..')
/** Another one than `cuda` tries the phases themselves. */
export const device = process.env.OSTRICH_TEST_DEVICE ?? 'cuda'

const maxBuffer = 2 ** 26

/** What a program printed; `status` is null where it was not found or ran out of time, and `why` says which. */
export const capture = (command, args, { timeout, env = {} } = {}) => {
  const options = { encoding: 'utf8', maxBuffer, timeout, env: { ...process.env, ...env } }
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, options)
  const why = error?.message ?? (signal === null ? `ended with ${status}` : `ended by ${signal}`)
  return { status, stdout: stdout ?? '', stderr: stderr ?? '', why }
}

/** The last line that a program printed, as JSON; throws with what it said where there is none. */
export const lastJson = ({ stdout, stderr, why }) => {
  const line = stdout.trim().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`expected a line of JSON, got ${JSON.stringify(line)}; ${why}: ${stderr.trim().slice(-1500)}`)
  }
}

export const node = (path, args, options) => capture(process.execPath, [join(tree, path), ...args], options)
export const python = (path, args, options) => capture('python3', [join(tree, path), ...args], options)

// Folders of Python packages (whose nvidia/*/lib the backend searches) and PyTorch's own libraries; versions of both.
const asked = `
import importlib.util, importlib.metadata, json, os, re, sysconfig
found = importlib.util.find_spec('torch')
torch = list(found.submodule_search_locations)[0] if found else None
folders = [sysconfig.get_path('purelib')] + ([os.path.dirname(torch), os.path.join(torch, 'lib')] if torch else [])
known = {item.metadata['Name']: item.version for item in importlib.metadata.distributions()}
wanted = re.compile('torch$|triton$|nvidia-(cudnn|cublas|cuda-nvrtc)')
versions = {name: version for name, version in sorted(known.items()) if name and wanted.match(name)}
print(json.dumps({'folders': list(dict.fromkeys(filter(os.path.isdir, folders))), 'versions': versions}))`

/** Points the library, in this process and those it starts, at the unpacked addon and data and at Python's CUDA libraries. */
const prepare = () => {
  const { folders, versions } = lastJson(capture('python3', ['-c', asked]))
  process.env.OSTRICH_ADDON ??= join(tree, 'build/Release/ostrich.node')
  process.env.OSTRICH_DATA ??= join(tree, 'data')
  process.env.OSTRICH_CUDA_LIBRARIES ??= folders.join(':')
  return versions
}

const query = 'name,driver_version,memory.total,compute_cap,clocks.max.sm,clocks.max.memory,power.limit'

/** What nvidia-smi says of each GPU, by name; none where it is not there. */
const smi = () => {
  const { status, stdout } = capture('nvidia-smi', [`--query-gpu=${query}`, '--format=csv,noheader'])
  if (status !== 0) return []
  const keys = query.split(',')
  const row = (line) => Object.fromEntries(line.split(',').map((value, i) => [keys[i], value.trim()]))
  return stdout.trim().split('\n').map(row)
}

/** Whether the device computes in bf16. One that cannot be opened is not judged here: the phases show why. */
const computesBf16 = async (openDevice) => {
  try {
    const opened = await openDevice({ device })
    const { bf16 } = opened.info()
    await opened.dispose()
    return bf16 !== 'none'
  } catch {
    return true
  }
}

/** What every file says. `absent` is why the backend has no device, `hasGpu` whether the machine has one all the same. */
export const facts = async () => {
  const packages = prepare()
  const { diagnose, openDevice } = await import('../../dist/runtime/index.js')
  const { backends, versions, node: version } = diagnose()
  const backend = backends.find(({ name }) => name === device)
  const available = backend?.available === true
  const gpus = smi()
  return {
    absent: available ? undefined : (backend?.reason ?? 'no addon'),
    hasBf16: available && (await computesBf16(openDevice)),
    hasGpu: gpus.length > 0 || readdirSync('/dev').some((name) => /^nvidia\d/.test(name)),
    hasTorch: packages.torch !== undefined,
    gpus,
    about: {
      device,
      gpu: gpus[0]?.name,
      driver: gpus[0]?.driver_version,
      versions: { node: version, ...versions, ...packages },
      date: new Date().toISOString(),
    },
  }
}
