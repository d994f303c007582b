// A session into a checkpoint and back: what it holds besides its variables, and what must be as it was.
import { OstrichError } from '../base/index.js'
import {
  type CheckpointInfo,
  checkContent,
  checkTensors,
  openCheckpoint,
  restore,
  writeCheckpoint,
} from './checkpoint.js'
import { checkpointInfo, differences } from './checkpoint-info.js'
import type { Position } from './loop.js'
import type { Monitored } from './monitor.js'
import type { SessionParts } from './session-parts.js'

/** @throws CheckpointError for a failing disk */
export async function writeRun(
  path: string,
  { options, sources, place, store, programs }: SessionParts,
  position: Position,
  monitored: Monitored | undefined,
): Promise<void> {
  const parameters = store.parameters().map(({ name }) => name)
  const { fields, vocabulary, tokenizers } = sources.train
  const data = await sources.train.fingerprint()
  const content = {
    ...{ data, fields, parameters, vocabulary, tokenizers, classes: sources.classes, draws: programs.draws },
    ...(monitored && { monitored }),
  }
  await writeCheckpoint(path, store.entries(), await checkpointInfo(options, place, position, content))
}

/**
 * Reads a run back into a session.
 * @param turn calls `put`, which writes the variables and gives how the run stood, when no step runs
 * @returns sentences on what differs from the session that wrote it
 * @throws CheckpointError for a file that is damaged or of another model
 */
export async function readRun(
  path: string,
  { options, sources, place, store, programs }: SessionParts,
  turn: (put: () => Promise<CheckpointInfo>) => Promise<void>,
): Promise<string[]> {
  await using checkpoint = await openCheckpoint(path)
  const { file, info } = checkpoint
  const entries = store.entries()
  checkTensors(
    file,
    entries.map(({ name, variable }) => ({ name, dtype: variable.dtype, shape: variable.shape })),
    () => false,
  )
  if (info === undefined)
    throw new OstrichError('ERR_CHECKPOINT', `${path}: expected a checkpoint to resume from, got weights alone`)
  await checkContent(checkpoint)
  await turn(async () => {
    await restore(file, entries)
    await programs.refreshShadows()
    programs.draws = info.draws ?? 0
    return info
  })
  const data = await sources.train.fingerprint()
  return await differences(info, options, place, { fields: sources.train.fields, data })
}
