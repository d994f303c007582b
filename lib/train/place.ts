// Where a session runs: the device that was opened, and the precision that it computes in.
import type { CompilePrecision } from '../compile/index.js'
import { registry } from '../ops/registry.js'
import { expectOps, openDevice, type Device } from '../runtime/index.js'
import type { PlaceOptions } from './options.js'

export interface Place {
  readonly device: Device
  readonly info: Readonly<Record<string, string>>
  readonly precision: CompilePrecision
  readonly threads: number
  /** Kind of processor and of the kernels chosen on it: where it is another, a resumed run may differ in the last bits. */
  readonly processor: string
  /** What was said while it was opened. */
  readonly warnings: readonly string[]
}

const nativeOps = [...registry.values()].filter((op) => op.kind !== 'marker').map((op) => op.name)

/** @throws DeviceError `ERR_NO_DEVICE` with the reason and the remedy, `ERR_INTERNAL` where the addon has other ops */
export async function openPlace(options: PlaceOptions & { readonly profile?: boolean }): Promise<Place> {
  const { device = 'auto', precision = 'auto', threads = 0, deterministic = false, memoryLimit = 0 } = options
  expectOps(nativeOps)
  const warnings: string[] = []
  const opened = await openDevice({
    device,
    threads,
    deterministic,
    memoryLimit,
    profile: options.profile ?? false,
    onWarning: (message) => warnings.push(message),
  })
  const info = opened.info()
  const native = info['bf16'] === 'native'
  if (precision === 'tf32' && info['backend'] === 'cpu') warnings.push('precision: the CPU computes tf32 in f32')
  return {
    device: opened,
    info,
    precision: precision === 'auto' ? (native ? 'bf16' : 'f32') : precision,
    threads: Number(info['threads'] ?? threads),
    processor: `${info['name'] ?? 'unknown'} (${info['isa'] ?? 'unknown'}, ${info['convolutions'] ?? 'unknown'})`,
    warnings,
  }
}
