// What this machine offers to Ostrich, as facts for `ostrich doctor`. Nothing here throws: what is absent is a fact too.
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import type { NativeBackend } from './binding.js'
import { addonPath, loadBinding } from './load-binding.js'

/** What `diagnose` finds; `addon` holds a reason where there is none. */
export interface Diagnosis {
  readonly os: string
  readonly cpu: string
  readonly cores: number
  /** Instruction sets that decide which kernels run. */
  readonly isa: readonly string[]
  readonly memoryBytes: number
  readonly node: string
  readonly napi: string
  readonly addon: { readonly path: string } | { readonly reason: string }
  readonly backends: readonly NativeBackend[]
  readonly versions: Readonly<Record<string, string>>
}

const instructionSets = ['avx2', 'avx512f', 'avx512_bf16', 'avx512_fp16', 'amx_bf16']

function instructions(): string[] {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' '))
    return instructionSets.filter((name) => flags.has(name))
  } catch {
    return []
  }
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

function native(): Pick<Diagnosis, 'addon' | 'backends' | 'versions'> {
  try {
    const binding = loadBinding()
    return { addon: { path: addonPath() }, backends: binding.backends(), versions: binding.versions() }
  } catch (error) {
    return { addon: { reason: error instanceof Error ? error.message : String(error) }, backends: [], versions: {} }
  }
}

/** Facts about this machine, the addon and its backends. */
export function diagnose(): Diagnosis {
  return {
    os: `${distribution()}, kernel ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    isa: instructions(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    napi: process.versions['napi'] ?? 'unknown',
    ...native(),
  }
}
