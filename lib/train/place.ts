// Where a session runs: the device that was opened, and the precision that it computes in.
import { registry } from '../ops/index.js'
import { expectOps, openDevice, type Device } from '../runtime/index.js'
import type { DeviceOptions } from './options.js'

export interface Place {
  readonly device: Device
  readonly info: Readonly<Record<string, string>>
  readonly precision: 'f32' | 'bf16'
  readonly threads: number
  /** Kind of processor and of the kernels chosen on it: where it is another, a resumed run may differ in the last bits. */
  readonly processor: string
  /** What was said while it was opened. */
  readonly warnings: readonly string[]
}

const nativeOps = [...registry.values()].filter((op) => op.kind !== 'marker').map((op) => op.name)

/** @throws DeviceError `ERR_NO_DEVICE` with the reason and the remedy, `ERR_INTERNAL` where the addon has other ops */
export async function openPlace({ device = 'auto', precision = 'auto', threads = 0 }: DeviceOptions): Promise<Place> {
  expectOps(nativeOps)
  const warnings: string[] = []
  const opened = await openDevice({ device, threads, onWarning: (message) => warnings.push(message) })
  const info = opened.info()
  const native = info['bf16'] === 'native'
  return {
    device: opened,
    info,
    precision: precision === 'auto' ? (native ? 'bf16' : 'f32') : precision,
    threads: Number(info['threads'] ?? threads),
    processor: `${info['name'] ?? 'unknown'} (${info['isa'] ?? 'unknown'}, ${info['convolutions'] ?? 'unknown'})`,
    warnings,
  }
}
