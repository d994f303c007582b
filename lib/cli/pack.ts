// ostrich data pack: a tree of images -> shards to train from, with a bar; says in the end what could not be used.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { packImages, type PackOptions, type PackResult } from '../data/index.js'
import { createProgress } from '../report/index.js'
import { type Output, UsageError, type Values } from './command.js'

/** Options of `data pack`. */
export const packOptions = {
  size: { type: 'whole', help: 'pack: side of the packed images (default 256)' },
  format: { type: 'text', choices: ['u8', 'jpeg'], help: 'pack: pixels, or JPEG files again (default u8)' },
  quality: { type: 'whole', help: 'pack: of JPEG, 1 to 100 (default 90)' },
  workers: { type: 'whole', help: 'pack: processes that decode (default: one for each core)' },
  'shard-size': { type: 'whole', help: 'pack: images in a shard (default 2048)' },
  'on-bad': { type: 'text', choices: ['skip', 'fail'], help: 'pack: what to do with a damaged image (default skip)' },
  labels: { type: 'text', value: 'file', help: 'pack: labels of validation images that lie in one folder' },
  synsets: { type: 'text', value: 'file', help: "pack: meta.mat, for the devkit's ground truth as labels" },
  share: { type: 'number', help: 'pack: of each class, what is held back for validation, in a tree without any (0.1)' },
  seed: { type: 'whole', help: 'pack: draws what is held back (default 1)' },
} as const

/** Bad files that are named on the terminal; the list has all. */
const MOST_NAMED = 20

/** Runs it; returns the exit code. */
export async function pack(
  values: Values<typeof packOptions>,
  tree: string | undefined,
  out: string | undefined,
  output: Output,
): Promise<number> {
  if (tree === undefined || out === undefined) {
    throw new UsageError('data pack: expected <tree> and <out>, got too few. See: ostrich data --help')
  }
  const progress = createProgress({ stream: process.stderr })
  try {
    const result = await packImages(tree, out, {
      ...chosen(values),
      onProgress: ({ done, total, bad }) => {
        const what = bad === 0 ? 'packing' : `packing (${bad} bad)`
        progress.update({ what, done, total, unit: 'images' })
      },
    })
    progress.finish()
    say(result, out, output)
    return 0
  } finally {
    progress.finish()
  }
}

function chosen(values: Values<typeof packOptions>): PackOptions {
  const { size, format, quality, workers = availableParallelism(), labels, synsets, share, seed } = values
  const [shardSize, onBad] = [values['shard-size'], values['on-bad']]
  return {
    workers,
    ...(size !== undefined && { size }),
    ...(format !== undefined && { format: format as 'u8' }),
    ...(quality !== undefined && { quality }),
    ...(shardSize !== undefined && { shardSize }),
    ...(onBad !== undefined && { onBad: onBad as 'skip' }),
    ...(labels !== undefined && { labels }),
    ...(synsets !== undefined && { synsets }),
    ...(share !== undefined && { share }),
    ...(seed !== undefined && { seed }),
  }
}

function say({ train, validation, classes, bytes, bad, passedOver }: PackResult, out: string, output: Output): void {
  const size = `${(bytes / 1e9).toFixed(2)} GB`
  output.line(`${out}: ${train} training and ${validation} validation images of ${classes.length} classes, ${size}`)
  if (passedOver.length > 0) {
    output.line(
      `${passedOver.length} files passed over, as their names are not those of images (${passedOver[0]!} ...)`,
    )
  }
  if (bad.length === 0) return
  output.line(`${bad.length} files left out, as they are not whole images (${join(out, 'bad.json')}):`)
  for (const { name, reason } of bad.slice(0, MOST_NAMED)) output.line(`  ${name}: ${reason}`)
  if (bad.length > MOST_NAMED) output.line(`  and ${bad.length - MOST_NAMED} more`)
}
