// Where the time of a training step goes: every step of the training program timed by the backend, on one made-up batch.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import {
  batched,
  type FieldArray,
  fieldOptions,
  type Fields,
  type FieldSpec,
  madeUp,
  windowFields,
} from '../data/index.js'
import { allocate } from '../data/dataset.js'
import { count, feed, trace } from '../graph/index.js'
import type { Optimizer } from '../optim/index.js'
import { aFunction, anOptimizer, type PlaceOptions, placeOptions, someInputs } from './options.js'
import { openPlace } from './place.js'
import { Programs } from './programs.js'
import { StateStore } from './state.js'
import { prepared, supervised } from './objective.js'
import { Trainer } from './trainer.js'
import type { Inputs, Loss, Network, Objective } from './types.js'

/** What an op belongs to. */
export type ProfileKind = 'convolution' | 'fully connected' | 'update' | 'rest'

/** One step of the program. */
export interface ProfileRow {
  readonly op: string
  /** Of the layer. */
  readonly path: string
  /** Which implementation the backend chose. */
  readonly detail: string
  readonly kind: ProfileKind
  /** Median over the runs. */
  readonly ms: number
}

/** A training step in its parts. */
export interface Profile {
  readonly rows: readonly ProfileRow[]
  readonly batch: number
  readonly precision: CompilePrecision
  readonly device: Readonly<Record<string, string>>
  readonly arenaBytes: number
  readonly stateBytes: number
  /** Sum of the rows. */
  readonly ms: number
  /** Milliseconds by kind. */
  readonly split: Readonly<Record<ProfileKind, number>>
}

export interface ProfileOptions extends PlaceOptions {
  /** Mean loss of a batch, from the network's output and the field `target`. */
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly batch: number
  /** What is learned, of the fields `x` and `target`, where that is more than a loss of the network's output. */
  readonly objective?: Objective
  /** One example of `x`, without the batch. */
  readonly example: FieldSpec
  /** All fields, where the objective reads others than `x` and `target`. */
  readonly fields?: Fields
  /** As in training. */
  readonly inputs?: Inputs
  /** Of which the medians are over. Default: 10. */
  readonly runs?: number
  /** Told after each run. */
  readonly onRun?: (done: number, runs: number) => void
}

const schema: Schema<ProfileOptions> = {
  ...placeOptions,
  loss: is.needed(aFunction),
  optimizer: is.needed(anOptimizer),
  batch: is.needed(is.whole(1)),
  objective: aFunction,
  example: is.needed(is.object),
  fields: is.object,
  inputs: someInputs,
  runs: is.whole(1),
  onRun: is.callable,
}

const warmUp = 2

/**
 * Times each native step of a classifier's training step, in milliseconds, on random inputs and labels.
 * @throws OstrichError `ERR_OPTION`; ShapeError from the network; `ERR_NO_DEVICE`
 * @example const { split } = await train.profile(net, { loss: nn.crossEntropy, optimizer, batch: 128, example: { dtype: 'f32', shape: [3, 224, 224] } })
 */
export async function profile(net: Network, options: ProfileOptions): Promise<Profile> {
  expectKind('profile', 'net', aFunction, net)
  expectOptions('profile', options, schema)
  expectOptions('profile[example]', options.example, fieldOptions)
  const { loss, objective = supervised(net, loss), optimizer, batch, example, inputs = {}, runs = 10, onRun } = options
  const classes = outputs(net, inputs, example)
  const steps = example.batchAxis === 1 ? example.shape[0] : undefined
  const usual: Fields = steps === undefined ? { x: example, target: { dtype: 'i32', shape: [] } } : windowFields(steps)
  const { fields = usual } = options
  const place = await openPlace({ ...options, profile: true })
  try {
    const store = new StateStore(place.device)
    const trainer = await Trainer.create(new Programs(place.device, store, 1), {
      task: { objective, inputs },
      shapes: [{ rows: batch, steps, fields }],
      optimizer,
      precision: place.precision,
    })
    const noise = (spec: FieldSpec) =>
      madeUp(batch * (steps ?? 1), { ...spec, shape: spec.shape.slice(spec.batchAxis ?? 0) }, classes)
    // A target of another type than labels is an image, a film or numbers, as x is.
    const { target } = fields
    const isLabel = target === undefined || target.dtype === 'i32'
    const feeds = { ...others(fields, batch), ...noise(example), ...(!isLabel && { target: noise(target).x }) }
    for (let run = 0; run < warmUp + runs; run++) {
      await trainer.start({ epoch: 0, step: run, count: batch, ...(steps !== undefined && { steps }), feeds }, run)
      if (run >= warmUp) onRun?.(run - warmUp + 1, runs)
    }
    const { profile: json, arenaBytes, stateBytes } = trainer.stats
    const rows = (JSON.parse(json) as Omit<ProfileRow, 'kind'>[]).map((row) => ({ ...row, kind: kindOf(row) }))
    const split = { convolution: 0, 'fully connected': 0, update: 0, rest: 0 }
    for (const { kind, ms } of rows) split[kind] += ms
    const ms = rows.reduce((sum, row) => sum + row.ms, 0)
    const { precision, info: device } = place
    return { rows, batch, precision, device, arenaBytes, stateBytes, ms, split }
  } finally {
    await place.device.dispose()
  }
}

/** Ones for every field but `x` and `target`: of lengths and weights, and of indices, what each may be; streams begin anew. */
function others(fields: Fields, batch: number): Record<string, FieldArray> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, spec]) => [name, allocate(spec.dtype, count(batched(spec, batch))).fill(1)]),
  )
}

/** Outputs per example. */
function outputs(net: Network, inputs: Inputs, example: FieldSpec): number {
  const graph = trace({ name: 'profile', mode: 'eval' }, () => ({
    y: net(prepared(inputs, 'x', feed('x', example.dtype, batched(example, 1)))),
  }))
  return graph.fetches[0]?.tensor.shape.at(-1) ?? 1
}

/** A pointwise step of a layer with parameters, or of one of them, is their update: the layers' own arithmetic lies in their products. */
function kindOf({ op, path }: { readonly op: string; readonly path: string }): ProfileKind {
  if (op.startsWith('conv2d') || op.startsWith('local2d')) return 'convolution'
  if (op === 'matmul') return 'fully connected'
  const parametric = /(?:^|\/)(?:conv|linear|local|fc|pieces|lstm|gru|rnn|embedding)\d*(?:\/\w+)?$/.test(path)
  return op === 'pointwise' && parametric ? 'update' : 'rest'
}
