// Opening a device, and what it makes: buffers and programs.
import { expectOptions, is, type Schema } from '../base/index.js'
import type { Binding, NativeDevice } from './binding.js'
import { Buffer, type BufferSpec } from './buffer.js'
import { driverIsThere } from './driver.js'
import { DeviceError, guarded, rethrow } from './errors.js'
import { loadBinding } from './load-binding.js'
import { Program, readPorts } from './program.js'

/** `cuda` is `cuda:0`. */
export type DeviceName = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

/** What a device is called, in words. */
export const deviceNames = 'auto, cpu, cuda or cuda:1'

/** Which device, and how it works. */
export interface DeviceOptions {
  /**
   * `auto` takes CUDA where it is available, else the CPU, and says so once where there is a driver of NVIDIA's; a named device is
   * never replaced. Default: `auto`.
   */
  readonly device?: DeviceName
  /** Threads of the CPU, at most as many as the machine has cores; default 0: all cores. */
  readonly threads?: number
  /** Let CUDA use only kernels that give the same bits at every run, where others may be faster. Default: false. */
  readonly deterministic?: boolean
  /** Most bytes of memory to take of a CUDA device; default 0: all there is. */
  readonly memoryLimit?: number
  /** Takes what a person should know (a fallback, a checkpoint of another machine); default: nobody, the library is silent. */
  readonly onWarning?: (message: string) => void
}

/** Options of a device that is opened by itself. */
export interface OpenOptions extends DeviceOptions {
  /** Time every step of every program, for `program.stats()`. Default: false. */
  readonly profile?: boolean
}

const named = /^(?:(cpu)|(cuda)(?::(\d{1,3}))?)$/

/** Whether a device is called so; not whether it is there. */
export function isDeviceName(text: unknown): text is DeviceName {
  return typeof text === 'string' && (text === 'auto' || named.test(text))
}

/** The kinds of the options of a device. */
export const deviceOptions: Schema<DeviceOptions> = {
  device: is.kind(deviceNames, isDeviceName),
  threads: is.whole(0, 4096),
  deterministic: is.flag,
  memoryLimit: is.whole(0),
  onWarning: is.callable,
}

/** An open device with a native thread of its own, which keeps the process alive only while it works. */
export class Device {
  readonly #native: NativeDevice

  constructor(native: NativeDevice) {
    this.#native = native
  }

  /** Allocates a variable's memory, zero at first. @throws DeviceError `ERR_OUT_OF_MEMORY`, `ERR_ARGUMENT` */
  alloc(spec: BufferSpec): Buffer {
    return new Buffer(
      spec,
      guarded(() => this.#native.alloc(spec)),
    )
  }

  /**
   * Builds program text (what `compileGraph` writes) and binds it to buffers, one per state in the order of the text.
   * @throws DeviceError `ERR_PROGRAM` for text that breaks a rule, `ERR_ARGUMENT` for buffers that do not fit
   */
  async compile(text: string, state: readonly Buffer[]): Promise<Program> {
    const buffers = state.map((buffer) => buffer.native)
    const native = await this.#native.compile(text, buffers).catch(rethrow)
    const { name, ...ports } = readPorts(text)
    return new Program(name, ports, native)
  }

  /** Facts by name: `backend`, what it runs on, how many threads. */
  info(): Readonly<Record<string, string>> {
    return guarded(() => this.#native.info())
  }

  /** Waits for everything that was asked for, then ends the device's thread; later calls fail with `ERR_DISPOSED`. */
  dispose(): Promise<void> {
    return this.#native.dispose().catch(rethrow)
  }

  /** The same as `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/**
 * Opens a device.
 * @throws OstrichError `ERR_OPTION`; DeviceError `ERR_NO_DEVICE` with the reason and the remedy, `ERR_NO_ADDON` where Ostrich is not built
 * @example await using device = await openDevice({ device: 'cpu', threads: 2 })
 */
export async function openDevice(options: OpenOptions = {}): Promise<Device> {
  expectOptions<OpenOptions>('openDevice', options, { ...deviceOptions, profile: is.flag })
  const { device = 'auto', threads = 0, profile = false, deterministic = false, memoryLimit = 0, onWarning } = options
  const binding = loadBinding()
  const choice = device === 'auto' ? choose(binding, onWarning) : parse(device)
  expectAvailable(binding, choice.backend)
  const open = ({ backend, index }: Choice): Device =>
    new Device(guarded(() => new binding.Device({ backend, index, threads, profile, deterministic, memoryLimit })))
  // Opening may take long on some devices, and later versions may do it off this thread: callers await in any case.
  const opened = await Promise.resolve(device === 'auto' ? openAny(choice, open, onWarning) : open(choice))
  const { backend, threads: used } = opened.info()
  if (backend === 'cpu' && threads > Number(used)) {
    onWarning?.(
      `device: expected threads to be at most the ${used} processors of this machine, got ${threads}: ${used} run`,
    )
  }
  return opened
}

interface Choice {
  readonly backend: string
  readonly index: number
}

function parse(device: string): Choice {
  const match = named.exec(device)
  if (match === null) throw new DeviceError('ERR_NO_DEVICE', `device: expected ${deviceNames}, got ${device}`)
  return { backend: match[1] ?? 'cuda', index: Number(match[3] ?? 0) }
}

function choose(binding: Binding, onWarning: DeviceOptions['onWarning']): Choice {
  const cuda = binding.backends().find(({ name }) => name === 'cuda')
  if (cuda?.available === true) return { backend: 'cuda', index: 0 }
  if (driverIsThere()) {
    onWarning?.(`device: auto runs on the CPU, because CUDA is not available: ${cuda?.reason ?? 'unknown'}`)
  }
  return { backend: 'cpu', index: 0 }
}

/** Where any device would do, one that is there but cannot be used gives way to the CPU. */
function openAny(choice: Choice, open: (choice: Choice) => Device, onWarning: DeviceOptions['onWarning']): Device {
  try {
    return open(choice)
  } catch (error) {
    const unusable = choice.backend !== 'cpu' && error instanceof DeviceError && error.code === 'ERR_NO_DEVICE'
    if (!unusable) throw error
    onWarning?.(`device: auto runs on the CPU, because CUDA cannot be used: ${error.message}`)
    return open({ backend: 'cpu', index: 0 })
  }
}

function expectAvailable(binding: Binding, backend: string): void {
  const found = binding.backends().find(({ name }) => name === backend)
  if (found?.available === true) return
  const remedy = backend === 'cuda' ? "use device: 'cpu' or 'auto'" : 'build Ostrich again, `ostrich doctor` says more'
  throw new DeviceError(
    'ERR_NO_DEVICE',
    `device: expected ${backend}, got none: ${found?.reason ?? 'unknown backend'} (${remedy})`,
  )
}
