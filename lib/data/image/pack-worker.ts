// A process that packs shards: a job a line on its input, what became of it on its output. It ends when its input does, so it
// never outlives whoever started it. Processes, as sharp decodes in a pool of threads of which a process has one.
import { exit, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { packShard, type BadImage, type ShardJob } from './shard.js'

/** A line of output. */
export type WorkerLine =
  | { readonly type: 'image'; readonly bad?: BadImage }
  | { readonly type: 'done'; readonly present: boolean }
  | { readonly type: 'error'; readonly message: string }

const say = (line: WorkerLine): void => {
  stdout.write(`${JSON.stringify(line)}\n`)
}

const lines = createInterface({ input: stdin })
lines.on('line', (line) => {
  packShard(JSON.parse(line) as ShardJob, (bad) => {
    say({ type: 'image', ...(bad && { bad }) })
  }).then(
    (present) => {
      say({ type: 'done', present })
    },
    (error: unknown) => {
      say({ type: 'error', message: error instanceof Error ? error.message : String(error) })
    },
  )
})
lines.on('close', () => {
  exit(0)
})
