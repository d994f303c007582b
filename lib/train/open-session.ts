// Opens a session: checks its options and data, opens the device, compiles the training program, fills the memory.
import { stat } from 'node:fs/promises'
import { OstrichError } from '../base/index.js'
import { type BatchShape, DataError, type Fields } from '../data/index.js'
import { trace } from '../graph/index.js'
import { expectAllRead, expectFields, expectFresh } from './fields.js'
import type { InputsOf, LossFits, LossOf, NetworkFits, Untold } from './fits.js'
import { lossInfo, measureNamed, type MeasureInfo } from './measure.js'
import { type Measured, traced } from './objective.js'
import { type ObjectiveOptions, resolve, type Resolved, type SessionOptions } from './options.js'
import { openPlace } from './place.js'
import { Programs } from './programs.js'
import { Session } from './session.js'
import { sourcesOf } from './source.js'
import { StateStore } from './state.js'
import { Trainer } from './trainer.js'
import type { FieldTensors, Network, Objective, Outcome } from './types.js'
import { Weights } from './weights.js'

/** Refuses, when compiled, what an objective gives as a measure and is none. */
type Judged<R> = string extends keyof R
  ? unknown
  : { readonly [Name in keyof R]: Name extends 'loss' ? R[Name] : R[Name] extends Measured ? R[Name] : Measured }

/**
 * Opens a device, compiles the training program and initialises every variable. What is learned is a function of the data's
 * fields, `({ x, target }) => ({ loss, ...measures })`, traced once for training and once for evaluation; or a network and a loss,
 * which is short for one of the fields `x` and `target`. Extents and dtypes that are known of the data and do not fit do not compile.
 * @typeParam N the network, whose first layer must take `x`
 * @typeParam L the loss, which must take `target`
 * @typeParam I what `inputs` makes of the fields before either sees them
 * @throws OstrichError `ERR_OPTION`, DataError for a field that nothing reads, ShapeError from the network, `ERR_NO_DEVICE`
 * @example
 * const session = await train.session(net, { data: await mnist(), loss: nn.crossEntropy, optimizer: optim.sgd({ rate: 0.1 }), batch: 128 })
 * @example
 * const session = await train.session(
 *   ({ image, age, kind }) => {
 *     const { ages, kinds } = net(image)
 *     return { loss: ops.add(nn.crossEntropy(kinds, kind), nn.meanSquaredError(ages, age)), accuracy: measures.accuracy(kinds, kind) }
 *   },
 *   { data, optimizer: optim.adam({ rate: 1e-3 }), batch: 64 },
 * )
 */
export async function session<F extends Fields, R extends Outcome>(
  objective: { of(fields: FieldTensors<F>, views: number): R & Judged<R> }['of'],
  options: ObjectiveOptions<F> & { readonly loss?: never },
): Promise<Session<Exclude<keyof R & string, 'loss'>>>
// A signature is judged before functions that are written in place are, so that one for calls with `inputs` must not ask whether the
// field fits as it is.
export async function session<
  F extends Fields,
  M extends Readonly<Record<string, Measured>> = Readonly<Record<'accuracy', Measured>>,
  N extends Network = Network,
  L = Untold,
  I = Untold,
>(
  net: N,
  options: Omit<SessionOptions<F, M>, 'loss' | 'inputs'> & {
    readonly data: NetworkFits<N, F, I>
    readonly inputs: I & InputsOf<F>
    readonly loss: L & LossFits<L, F, I> & LossOf<L, N, F, I>
  },
): Promise<Session<keyof M & string>>
export async function session<
  F extends Fields,
  M extends Readonly<Record<string, Measured>> = Readonly<Record<'accuracy', Measured>>,
  N extends Network = Network,
  L = Untold,
>(
  net: N,
  options: Omit<SessionOptions<F, M>, 'loss' | 'inputs'> & {
    readonly data: NetworkFits<N, F, undefined>
    readonly inputs?: { readonly x?: never; readonly target?: never }
    readonly loss: L & LossFits<L, F, undefined> & LossOf<L, N, F, undefined>
  },
): Promise<Session<keyof M & string>>
export async function session(
  given: Network | Objective,
  options: ObjectiveOptions | SessionOptions,
): Promise<Session> {
  const resolved = resolve(given, options)
  if (resolved.folder !== undefined) await expectNoFile(resolved.folder)
  const sources = sourcesOf(resolved.data, resolved.window)
  expectFresh('session[data]', sources.train.fields)
  sources.train.steps(resolved.batch)
  if (sources.train.views > 1) {
    throw new DataError(`session[data]: expected one view of each training example, got ${sources.train.views}`)
  }
  if (resolved.optimizer.averaging?.waits === true && sources.validation === undefined) {
    const expected = 'expected validation data, whose loss says when to average the weights, got none'
    throw new OstrichError('ERR_OPTION', `session[data]: ${expected}`)
  }
  const place = await openPlace(resolved)
  const store = new StateStore(place.device)
  const programs = new Programs(place.device, store, resolved.seed, resolved.explain)
  try {
    const { optimizer, batch, monitor } = resolved
    const { fields } = sources.train
    const { precision } = place
    const shapes = sources.train.shapes(batch)
    const trainer = await Trainer.create(programs, {
      ...{ task: resolved, shapes, optimizer, precision },
      ...resolved.programs,
    })
    const { measures, read } = evaluated(resolved, shapes[0]!, store)
    expectAllRead('session[data]', fields, new Set([...trainer.read, ...read]))
    if (sources.validation !== undefined) expectFields('session[data.validation]', sources.validation.fields, fields)
    if (monitor !== undefined) expectMonitor(monitor, measures, sources.validation !== undefined)
    const weights = await Weights.create(programs, optimizer.averaging, trainer.parameters)
    return new Session({ options: resolved, sources, place, store, programs, trainer, weights, measures })
  } catch (error) {
    await place.device.dispose()
    throw error
  }
}

interface Evaluated {
  readonly measures: Readonly<Record<string, MeasureInfo>>
  readonly read: ReadonlySet<string>
}

/** What the objective measures and reads in evaluation: found out now, so that a run is not to fail at the end of its first epoch. */
function evaluated(task: Resolved, { fields, rows }: BatchShape, store: StateStore): Evaluated {
  let found: Evaluated | undefined
  trace({ name: 'eval', mode: 'eval', names: store.names }, () => {
    const { loss, measures, read } = traced(task, fields, rows)
    const infos = Object.entries(measures).map(([name, { better, format }]) => [name, { better, format }])
    found = { measures: Object.fromEntries(infos) as Record<string, MeasureInfo>, read }
    return { loss }
  })
  return found!
}

function expectMonitor(monitor: string, measures: Readonly<Record<string, MeasureInfo>>, validated: boolean): void {
  measureNamed('session[monitor]', monitor, { loss: lossInfo, ...measures })
  if (validated) return
  throw new OstrichError('ERR_OPTION', `session[monitor]: expected validation data to measure ${monitor} on, got none`)
}

/** A run is not to find out at its first checkpoint that its folder is a file. */
async function expectNoFile(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return
  throw new OstrichError('ERR_OPTION', `session[folder]: expected a folder, got the file ${folder}`)
}
