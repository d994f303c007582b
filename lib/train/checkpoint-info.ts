// What a session writes about itself into a checkpoint, and what differs when another session reads it.
import { versions } from '../runtime/index.js'
import type { CheckpointInfo } from './checkpoint.js'
import type { Position } from './loop.js'
import type { Resolved } from './options.js'
import type { Place } from './place.js'
import { otherPreparation, preparations } from './preparation.js'
import type { Fields } from '../data/index.js'

type Content = Pick<
  CheckpointInfo,
  'data' | 'fields' | 'parameters' | 'vocabulary' | 'tokenizers' | 'classes' | 'draws' | 'monitored'
>

export async function checkpointInfo(
  options: Resolved,
  place: Place,
  position: Position,
  content: Content,
): Promise<CheckpointInfo> {
  return {
    version: 1,
    ...position,
    seed: options.seed,
    batch: options.batch,
    precision: place.precision,
    device: place.info['backend'] ?? 'cpu',
    processor: place.processor,
    threads: place.threads,
    versions: versions(),
    ...content,
    preparation: await preparations(options.inputs, content.fields, options.batch),
    config: options.config ?? null,
  }
}

/** Sentences on everything because of which a resumed run is not bit for bit the one that was saved. */
export async function differences(
  info: CheckpointInfo,
  options: Resolved,
  place: Place,
  { fields, data }: { readonly fields: Fields; readonly data: string | undefined },
): Promise<string[]> {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['seed', info.seed, options.seed],
    ['batch', info.batch, options.batch],
    ['precision', info.precision, place.precision],
    ['processor', info.processor, place.processor],
    ['threads', info.threads, place.threads],
    ['training data', info.data, data],
  ]
  const other = otherPreparation(info.preparation ?? {}, await preparations(options.inputs, fields, info.batch))
  return [
    ...pairs
      .filter(([, saved, own]) => saved !== own)
      .map(
        ([what, saved, own]) => `saved with ${what} ${String(saved)}, resumed with ${String(own)}: the run will differ`,
      ),
    ...(other === undefined ? [] : [`${other}: the run will differ`]),
  ]
}
