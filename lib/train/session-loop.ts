// The training loop of a session: what of it comes from its parts, and what only the session can do.
import { Loop, type LoopParts, type Position } from './loop.js'
import type { SessionParts } from './session-parts.js'
import { notFinite } from './trainer.js'

/** What only the session can do. */
export type SessionDoings = Pick<LoopParts, 'endEpoch' | 'save' | 'warnings' | 'unmeasured' | 'ended' | 'best'>

/** A loop from `position` on, which it moves. */
export function sessionLoop(parts: SessionParts, position: Position, doings: SessionDoings): Loop {
  const { options, sources, place, store, trainer, weights, measures } = parts
  const { epochs, batch, seed, shuffle, signal, checkpointEvery: every } = options
  const about = {
    stepsPerEpoch: sources.train.steps(batch),
    perStep: sources.train.perStep(batch),
    padding: sources.train.padding(batch),
    parameters: store.parameters().reduce((sum, { variable }) => sum + variable.count, 0),
    device: place.info['name'] ?? 'cpu',
    precision: place.precision,
    threads: place.threads,
    measures,
  }
  return new Loop(
    {
      epochs,
      batch,
      signal,
      every: options.folder === undefined ? {} : every,
      about,
      epoch: (epoch, startStep) =>
        sources.train.epoch({ batch, epoch, startStep, seed, shuffle, augment: true, dropLast: true }),
      prepare: (one) => trainer.prepare(one),
      turn: (start) => weights.step(start),
      start: (one, step) => trainer.start(one, step),
      explainNotFinite: (step, loss) => notFinite(store, step, loss),
      ...doings,
    },
    position,
  )
}
