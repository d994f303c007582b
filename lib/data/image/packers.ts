// Who packs shards: this process, or processes beside it, each with one shard at a time.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { anotherNode } from '../../base/index.js'
import { DataError, reasonOf } from '../errors.js'
import type { WorkerLine } from './pack-worker.js'
import { packShard, type ShardJob, type Told } from './shard.js'

/** Packs one shard after the other. */
export interface Packer {
  /** Whether the shard was there. */
  pack(job: ShardJob, told: Told): Promise<boolean>
  end(): void
}

/** Threads of each process that decode; its main thread sorts pixels, counts colours and writes. */
const DECODERS = '2'

/** A packer in this process. */
export const ownPacker: Packer = { pack: packShard, end: () => undefined }

/** A packer in a process of its own. */
export function startPacker(): Packer {
  // From the room's bundle or a chunk of it.
  const script = fileURLToPath(new URL('../data/image/pack-worker.js', import.meta.url))
  const { program, env } = anotherNode({ UV_THREADPOOL_SIZE: DECODERS })
  const child = spawn(program, [script], { stdio: ['pipe', 'pipe', 'inherit'], env })
  // What a dead process does not take is said by its end.
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })
  return {
    pack: (job, told) =>
      new Promise((resolve, reject) => {
        const stop = watchEnd(child, job, reject)
        const listen = (text: string): void => {
          const line = JSON.parse(text) as WorkerLine
          if (line.type === 'image') {
            told(line.bad)
            return
          }
          lines.off('line', listen)
          stop()
          if (line.type === 'done') resolve(line.present)
          else reject(new DataError(line.message))
        }
        lines.on('line', listen)
        child.stdin.write(`${JSON.stringify(job)}\n`)
      }),
    end: () => {
      child.kill()
    },
  }
}

/** Rejects when the process ends before its job does; call what it returns once the job is done. */
function watchEnd(child: ChildProcess, { path }: ShardJob, reject: (error: Error) => void): () => void {
  const ended = (code: number | null, signal: string | null): void => {
    const got = signal ?? `exit status ${String(code)}`
    reject(
      new DataError(
        `${path}.shard: expected the packing process to finish it, got ${got}. Run the command again to go on`,
      ),
    )
  }
  const failed = (error: Error): void => {
    reject(new DataError(`${path}.shard: expected a packing process, got ${reasonOf(error)}`, { cause: error }))
  }
  if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode)
  child.once('exit', ended)
  child.once('error', failed)
  return () => {
    child.off('exit', ended)
    child.off('error', failed)
  }
}
