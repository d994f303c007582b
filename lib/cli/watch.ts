// Follows a training session: events -> progress display and log; then the last words of a run.
import type { Recipe } from '../recipes/index.js'
import type { EndEvent, Metrics, Progress, RunLog, Session, StoppedEvent, TrainEvent } from '../train/index.js'
import type { Output } from './command.js'

interface Watched {
  readonly progress: Progress
  readonly log: RunLog
  readonly epochs: number
  readonly batch: number
}

/** Runs the session to its end and shows each event. */
export async function watch(run: Session, watched: Watched): Promise<EndEvent | StoppedEvent> {
  let last: EndEvent | StoppedEvent | undefined
  let steps = 1
  let accuracy: number | undefined
  for await (const event of run.events()) {
    watched.log.write({ ...event })
    if (event.type === 'start') steps = event.stepsPerEpoch ?? 1
    if (event.type === 'epoch' && !Number.isNaN(event.validation.accuracy)) accuracy = event.validation.accuracy
    if (event.type === 'step' || event.type === 'epoch') {
      const step = event.type === 'step' ? event.stepInEpoch : steps
      const { epoch, loss } = event
      const { epochs, batch } = watched
      watched.progress.update({ epoch, epochs, step, steps, batch, loss, ...(accuracy !== undefined && { accuracy }) })
    }
    await tell(event, watched)
    if (event.type === 'end' || event.type === 'stopped') last = event
  }
  if (last === undefined) throw new Error('expected the run to end, got nothing')
  return last
}

async function tell(event: TrainEvent, { progress, log, epochs }: Watched): Promise<void> {
  switch (event.type) {
    case 'start':
      progress.line(
        `training ${thousands(event.parameters)} parameters in ${event.precision} on ${event.device}, ${event.threads} threads`,
      )
      return
    case 'epoch':
      progress.line(
        `epoch ${event.epoch}/${epochs}  loss ${event.loss.toFixed(4)}  test loss ${event.validation.loss.toFixed(4)}` +
          `  test accuracy ${percent(event.validation.accuracy)}${topFive(event.validation)}  ${thousands(Math.round(event.rate))} examples/s`,
      )
      await log.drawCurves()
      return
    case 'warning':
      progress.line(`note: ${event.message}`)
      return
    case 'step':
    case 'checkpoint':
    case 'stopped':
    case 'end':
      return
  }
}

interface Ending {
  readonly recipe: Recipe
  readonly folder: string
  readonly output: Output
}

/** The result and what to try next; returns the exit code. */
export function sayEnd(last: EndEvent | StoppedEvent, { recipe, folder, output }: Ending): number {
  const path = `${folder}/last.safetensors`
  if (last.type === 'stopped') {
    output.line(`Stopped after step ${last.step}. Saved: ${last.checkpoint ?? 'nothing'}`)
    output.line(`Go on with: ostrich train ${recipe.name} --resume ${folder}`)
    return 130
  }
  const { metric, value } = recipe.target
  const reached = last.validation.accuracy
  const verdict = reached >= value ? 'reached' : 'not reached'
  output.line(
    `${metric} ${percent(reached)}${topFive(last.validation)} after ${last.elapsed.toFixed(1)} s (${percent(value)} ${verdict})`,
  )
  output.line(`saved ${path}`)
  output.line('Try next:')
  output.line(`  ostrich eval ${path}`)
  output.line(`  ostrich train ${recipe.name} --seed 2 --epochs 10`)
  output.line(`  ${folder}/curves.svg shows the run; log.jsonl has every step`)
  return 0
}

/** The share of labels among the five largest outputs, where it was measured. */
export function topFive({ top5 }: Metrics): string {
  return top5 === undefined ? '' : `, top 5 ${percent(top5)}`
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

function thousands(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}
