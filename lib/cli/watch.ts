// Follows a training session: events -> progress display and log; then the last words of a run.
import type { Plan, Recipe } from '../recipes/index.js'
import { grouped, namedMeasure, percent, type Progress } from '../report/index.js'
import type { EndEvent, EventWriter, Metrics, RunLog, Session, StoppedEvent, TrainEvent } from '../train/index.js'
import type { Output } from './command.js'
import { finalInfosOf } from './final-measures.js'
import { countOf, goal, type Infos, infosOf, isReached, reading, targetOn } from './reading.js'

interface Watched {
  readonly progress: Progress
  readonly log: RunLog
  readonly plan: Plan
  readonly recipe: Recipe
  readonly board: EventWriter | undefined
}

/** Runs the session to its end and shows each event. */
export async function watch(run: Session, watched: Watched): Promise<EndEvent | StoppedEvent> {
  let last: EndEvent | StoppedEvent | undefined
  let steps = 1
  let held: string[] = []
  const infos = infosOf(watched.plan)
  const { epochs, batch, unit = 'examples', measures = {} } = watched.plan
  let extents = { epochs, batch, unit }
  for await (const event of run.events()) {
    watched.log.write({ ...event })
    await board(run, event, watched.board)
    if (event.type === 'start') {
      steps = event.stepsPerEpoch ?? 1
      extents = { epochs, batch: event.perStep, unit }
    }
    if (event.type === 'epoch') held = shown(event.validation, infos)
    if (event.type === 'step' || event.type === 'epoch') {
      const step = event.type === 'step' ? event.stepInEpoch : steps
      const { epoch, loss } = event
      // Of the training loss now, and of the last epoch's validation.
      const own = Object.entries(measures).flatMap(([name, one]) => {
        return 'ofLoss' in one ? [namedMeasure(name, one.ofLoss(loss), one)] : []
      })
      watched.progress.update({ ...extents, epoch, step, steps, loss, measures: [...own, ...held] })
    }
    await tell(event, watched)
    if (event.type === 'end' || event.type === 'stopped') last = event
  }
  if (last === undefined) throw new Error('expected the run to end, got nothing')
  return last
}

/** Curves of all events, and after each epoch how weights and gradients are spread. */
async function board(run: Session, event: TrainEvent, writer: EventWriter | undefined): Promise<void> {
  if (writer === undefined) return
  writer.event(event)
  if (event.type !== 'epoch') return
  const spread = { weights: await run.parameters(), gradients: await run.gradients() }
  for (const [what, all] of Object.entries(spread)) {
    for (const [path, values] of Object.entries(all)) writer.histogram(`${what}/${path}`, values, event.step)
  }
  await writer.flush()
}

async function tell(event: TrainEvent, watched: Watched): Promise<void> {
  const { progress, log, plan } = watched
  const { epochs, unit = 'examples' } = plan
  switch (event.type) {
    case 'start':
      progress.line(
        `training ${grouped(event.parameters)} parameters in ${event.precision} on ${event.device}, ${countOf(event.threads, 'thread')}` +
          (event.padding === undefined ? '' : `; padding is ${percent(event.padding)} of the steps of sequences`),
      )
      return
    case 'epoch':
      progress.line(
        `epoch ${event.epoch}/${epochs}  loss ${event.loss.toFixed(4)}${heldBack(event.validation, watched)}` +
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

/** What the last epoch measured in the program, as it is written. */
function shown(metrics: Metrics, infos: Infos): string[] {
  return Object.entries(infos).flatMap(([name, info]) => {
    const value = metrics[name]
    const told = name !== 'loss' && !('ofLoss' in info) && value !== undefined && !Number.isNaN(value)
    return told ? [namedMeasure(name, value, info)] : []
  })
}

/** What was measured on the held-back examples, where there are any. */
function heldBack(metrics: Metrics, { recipe: { target }, plan }: Watched): string {
  if (Number.isNaN(metrics.loss)) return ''
  const infos = infosOf(plan)
  return `  ${reading(metrics, targetOn('validation', target, infos), infos)}`
}

/** What is measured once, at the end. */
export interface Final {
  readonly part: 'test' | 'validation'
  readonly metrics: Metrics
  /** More to tell of it, in lines. */
  readonly told: readonly string[]
}

interface Ending {
  readonly recipe: Recipe
  readonly plan: Plan
  readonly folder: string
  readonly output: Output
  /** Only the result is said. */
  readonly quiet: boolean
  /** Undefined where the last epoch says all. */
  readonly final: Final | undefined
}

/** The command that uses such a network, saved here. */
function useOf({ translator, recogniser, readsNumbers }: Plan, path: string): string {
  if (translator !== undefined) return `translate ${path}`
  if (readsNumbers === true) return `read ${path} number.png`
  return recogniser === undefined ? `generate ${path}` : `transcribe ${path} sound.wav`
}

/** The result and what to try next. */
export function sayEnd(last: EndEvent | StoppedEvent, { recipe, plan, folder, output, quiet, final }: Ending): void {
  const path = `${folder}/last.safetensors`
  if (last.type === 'stopped') {
    output.line(`Stopped after step ${last.step}. Saved: ${last.checkpoint ?? 'nothing'}`)
    output.line(`Go on with: ostrich train ${recipe.name} --resume ${folder}`)
    return
  }
  const infos = finalInfosOf(plan)
  const target = targetOn(final?.part ?? 'validation', recipe.target, infos)
  const measured = final?.metrics ?? last.validation
  const verdict = isReached(measured, target, infos) ? 'reached' : 'not reached'
  const result = reading(measured, target, infos)
  output.line(`${result} after ${last.elapsed.toFixed(1)} s (${goal(target, infos)} ${verdict})`)
  for (const line of final?.told ?? []) output.line(line)
  output.line(`saved ${path}`)
  const info = last.best && infos[last.best.measure]
  if (last.best && info) {
    const { measure, value, epoch } = last.best
    const best = `${folder}/best.safetensors`
    output.line(`best validation ${namedMeasure(measure, value, info)} after epoch ${epoch}: ${best}`)
  }
  if (quiet) return
  output.line('Try next:')
  output.line(`  ostrich eval ${path}`)
  if (recipe.target.of === undefined) output.line(`  ostrich train ${recipe.name} --seed 2 --epochs 10`)
  else output.line(`  ostrich ${useOf(plan, path)}`)
  output.line(`  ${folder}/curves.svg shows the run; log.jsonl has every step`)
}
