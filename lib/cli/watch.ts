// Follows a training session: events -> progress display and log; then the last words of a run.
import type { Plan, Recipe } from '../recipes/index.js'
import { grouped, type Progress } from '../report/index.js'
import type { EndEvent, Metrics, RunLog, Session, StoppedEvent, TrainEvent } from '../train/index.js'
import type { Output } from './command.js'
import { countOf, goal, isReached, nameOf, percent, reading, targetOn, topFive } from './reading.js'

interface Watched {
  readonly progress: Progress
  readonly log: RunLog
  readonly plan: Plan
  readonly recipe: Recipe
}

/** Runs the session to its end and shows each event. */
export async function watch(run: Session, watched: Watched): Promise<EndEvent | StoppedEvent> {
  let last: EndEvent | StoppedEvent | undefined
  let steps = 1
  let accuracy: number | undefined
  const { epochs, batch, window = 1, unit = 'examples', metrics } = watched.plan
  const shown = { epochs, batch: batch * window, unit }
  for await (const event of run.events()) {
    watched.log.write({ ...event })
    if (event.type === 'start') steps = event.stepsPerEpoch ?? 1
    if (event.type === 'epoch' && !Number.isNaN(event.validation.accuracy)) accuracy = event.validation.accuracy
    if (event.type === 'step' || event.type === 'epoch') {
      const step = event.type === 'step' ? event.stepInEpoch : steps
      const { epoch, loss } = event
      const perplexity = metrics?.includes('perplexity') === true ? { perplexity: Math.exp(loss) } : {}
      const right = accuracy === undefined ? {} : { accuracy }
      watched.progress.update({ ...shown, epoch, step, steps, loss, ...perplexity, ...right })
    }
    await tell(event, watched)
    if (event.type === 'end' || event.type === 'stopped') last = event
  }
  if (last === undefined) throw new Error('expected the run to end, got nothing')
  return last
}

async function tell(event: TrainEvent, { progress, log, plan, recipe }: Watched): Promise<void> {
  const { epochs, unit = 'examples' } = plan
  switch (event.type) {
    case 'start':
      progress.line(
        `training ${grouped(event.parameters)} parameters in ${event.precision} on ${event.device}, ${countOf(event.threads, 'thread')}`,
      )
      return
    case 'epoch':
      progress.line(
        `epoch ${event.epoch}/${epochs}  loss ${event.loss.toFixed(4)}${held(event.validation, recipe)}` +
          `  ${grouped(Math.round(event.rate))} ${unit}/s${event.averaged === true ? '  weights averaged' : ''}`,
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

/** What was measured on the held-back examples, where there are any. */
function held(metrics: Metrics, { target }: Recipe): string {
  if (Number.isNaN(metrics.loss)) return ''
  if (target.of !== undefined) return `  ${reading(metrics, { ...target, metric: `validation ${target.of}` })}`
  const { loss, accuracy } = metrics
  return `  validation loss ${loss.toFixed(4)}  validation accuracy ${percent(accuracy)}${topFive(metrics)}`
}

interface Ending {
  readonly recipe: Recipe
  readonly folder: string
  readonly output: Output
  /** Only the result is said. */
  readonly quiet: boolean
  /** Of the test set, where there is one. */
  readonly test: Metrics | undefined
}

/** The result and what to try next. */
export function sayEnd(last: EndEvent | StoppedEvent, { recipe, folder, output, quiet, test }: Ending): void {
  const path = `${folder}/last.safetensors`
  if (last.type === 'stopped') {
    output.line(`Stopped after step ${last.step}. Saved: ${last.checkpoint ?? 'nothing'}`)
    output.line(`Go on with: ostrich train ${recipe.name} --resume ${folder}`)
    return
  }
  const target = targetOn(test === undefined ? 'validation' : 'test', recipe.target)
  const measured = test ?? last.validation
  const verdict = isReached(measured, target) ? 'reached' : 'not reached'
  const result =
    target.of === undefined
      ? `${nameOf(target)} ${percent(measured.accuracy)}${topFive(measured)}`
      : reading(measured, target)
  output.line(`${result} after ${last.elapsed.toFixed(1)} s (${goal(target)} ${verdict})`)
  output.line(`saved ${path}`)
  if (quiet) return
  output.line('Try next:')
  output.line(`  ostrich eval ${path}`)
  if (recipe.target.of === undefined) output.line(`  ostrich train ${recipe.name} --seed 2 --epochs 10`)
  else output.line(`  ostrich generate ${path}`)
  output.line(`  ${folder}/curves.svg shows the run; log.jsonl has every step`)
}
