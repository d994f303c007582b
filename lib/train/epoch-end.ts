// What an epoch has come to: measured, judged by what is monitored, and told to what waits for it: averages and the rate.
import type { Evaluator } from './evaluate.js'
import { unmeasured } from './events.js'
import type { Measured, Position } from './loop.js'
import type { Monitor } from './monitor.js'
import type { SessionParts } from './session-parts.js'
import { readState, type StateStore } from './state.js'
import type { Plateau } from '../optim/index.js'

/** Who measures and who judges. */
export interface Judges {
  readonly evaluator: Evaluator
  readonly monitor: Monitor | undefined
}

/**
 * Measures an epoch when no step runs, with the weights in place that are used.
 * @param advance goes on to the next epoch in `position`
 */
export async function endOfEpoch(
  { sources, options, weights, measures, store }: SessionParts,
  { evaluator, monitor }: Judges,
  position: Position,
  advance: () => void,
): Promise<Measured> {
  const source = sources.validation
  const validation = source && (await evaluator.measure(source, options.batch))
  const averaged = validation && (await weights.measured(validation.loss))
  advance()
  const better = validation !== undefined && monitor?.take(validation, position.epoch) === true
  const { plateau } = options.optimizer
  const rateFactor = plateau && (await factorNow(store, plateau, monitor?.takeFall() === true))
  const best = monitor?.best
  return {
    ...{ validation: validation ?? unmeasured(measures), better },
    ...(averaged !== undefined && { averaged }),
    ...(best && { best }),
    ...(rateFactor !== undefined && { rateFactor }),
  }
}

/** The factor on the rate from here on. */
async function factorNow(store: StateStore, { variable, factor }: Plateau, falls: boolean): Promise<number> {
  const entry = store.get(variable)!
  const [before = 1] = await readState(entry)
  const now = Math.fround(falls ? before * factor : before)
  if (falls) await entry.buffer.write(Float32Array.of(now))
  // The digits that f32 has.
  return Number(now.toPrecision(7))
}
