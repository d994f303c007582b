// ostrich check: whether a checkpoint, or a folder of packed images, still holds what was written.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { checkPacked } from '../data/index.js'
import { createProgress } from '../report/index.js'
import { checkCheckpoint } from '../train/index.js'
import { command } from './command.js'
import { checkpointOf } from './language-model.js'

export const check = command({
  name: 'check',
  summary: 'find damage in a checkpoint or in packed images',
  arguments: ['<checkpoint|run|packed>'],
  about: [
    'Reads a checkpoint (or that of a run’s folder), or all shards of a folder of packed images, from end to end, and compares each',
    'tensor or shard with the sha256 that was written with it. Damage is named and ends the command with exit code 1. Of a file without',
    'digests, from an older version or another program, only the header is looked at, which is said.',
  ].join('\n'),
  options: {},
  examples: ['ostrich check runs/2026-01-31T09-05-00-mnist', 'ostrich check /data/packed'],
  run: async (_values, [given = ''], output) => {
    const progress = createProgress({ stream: process.stderr })
    const told = (done: number, total: number): void => {
      progress.update({ what: 'checking', done: megabytes(done), total: megabytes(total), unit: 'MB' })
    }
    try {
      output.line((await isPacked(given)) ? await packed(given, told) : await checkpoint(given, told))
      return 0
    } finally {
      progress.finish()
    }
  },
})

type Told = (done: number, total: number) => void

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6)

async function isPacked(folder: string): Promise<boolean> {
  return stat(join(folder, 'index.json')).then(
    () => true,
    () => false,
  )
}

async function packed(folder: string, told: Told): Promise<string> {
  const { shards, images, bytes } = await checkPacked(folder, told)
  return `${folder}: as it was packed: ${counted(shards, 'shard')}, ${counted(images, 'image')}, ${megabytes(bytes)} MB`
}

async function checkpoint(given: string, told: Told): Promise<string> {
  const path = await checkpointOf(given)
  const { tensors, bytes, digests, info } = await checkCheckpoint(path, told)
  const size = `${counted(tensors, 'tensor')}, ${megabytes(bytes)} MB`
  const when = info === undefined ? '' : `, after step ${info.step}`
  if (digests) return `${path}: as it was written: ${size}${when}`
  const why = 'as an older version or another program wrote it'
  return `${path}: the header is whole (${size}${when}); there are no digests to compare the tensors with, ${why}`
}
