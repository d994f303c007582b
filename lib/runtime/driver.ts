// Whether this machine has a driver of NVIDIA's: where it has none, that CUDA is not available is no news.
import { existsSync } from 'node:fs'

/** What the driver leaves behind: on Linux, and on Windows' Linux. */
const traces = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/usr/lib/wsl/lib/libcuda.so.1']

/** Whether any of these files is there. */
export function driverIsThere(files: readonly string[] = traces): boolean {
  return files.some((file) => existsSync(file))
}
