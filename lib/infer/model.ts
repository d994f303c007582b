// A saved network for use: loads its weights from a checkpoint (or any safetensors file with the same names) and predicts.
import { expectKind, expectOptions, is, type Schema } from '../base/index.js'
import { batched, type Dataset, type FieldArray, type FieldSpec, fieldOptions, type Text } from '../data/index.js'
import { feed, type HostArray, OstrichError, type Tensor } from '../graph/index.js'
import { type Compiled, compileFunction, type CompileOptions, type Extent, type Traceable } from '../train/compiled.js'
import {
  checkContent,
  checkTensors,
  type CheckpointInfo,
  inspectCheckpoint,
  openCheckpoint,
  restore,
} from '../train/checkpoint.js'
import { CheckpointError } from '../files/index.js'
import { Evaluator } from '../train/evaluate.js'
import type { Metrics } from '../train/events.js'
import { checkKind } from '../train/fields.js'
import { type Measured, prepared, supervised } from '../train/objective.js'
import { aFunction, type PlaceOptions, placeOptions, someInputs, someMeasures } from '../train/options.js'
import { openPlace, type Place } from '../train/place.js'
import { type PredictOptions, Predictor } from '../train/predictor.js'
import { otherPreparation, preparations } from '../train/preparation.js'
import { Programs } from '../train/programs.js'
import { expectClasses, sourcesOf, type TrainingData } from '../train/source.js'
import { exportOnnx, type OnnxOptions } from './onnx/save.js'
import { Sampler, type SamplerOptions } from './sampler.js'
import { StateStore } from '../train/state.js'
import type { Inputs, Loss, Network } from '../train/types.js'
import { tokenLosses } from './token-losses.js'

export interface LoadOptions extends PlaceOptions {
  /** As in training: a checkpoint says what became of its fields, and others are refused. */
  readonly inputs?: Inputs
  /** Type of one example; needed for a file that no session wrote, and of the kind that a checkpoint says. */
  readonly input?: FieldSpec
}

const loadOptions: Schema<LoadOptions> = { ...placeOptions, inputs: someInputs, input: is.object }

/** Options of `model.evaluate`. */
export interface EvaluateOptions<M = Readonly<Record<string, Measured>>> {
  readonly data: Dataset | Text | TrainingData
  /** Mean loss of a batch. */
  readonly loss: Loss
  /** Examples per run. Default: 250; of a text, parallel streams, 1. */
  readonly batch?: number
  /** Of a text: steps per run; the result does not depend on it. Default: 100. */
  readonly window?: number
  /** What is measured besides the loss, by name. Default: `{ accuracy: measures.accuracy }`. */
  readonly measures?: M
}

const evaluateOptions: Schema<EvaluateOptions> = {
  data: is.needed(is.object),
  loss: is.needed(aFunction),
  batch: is.whole(1),
  window: is.whole(1),
  measures: someMeasures,
}

/** A network with its weights, for use. */
export interface Model extends AsyncDisposable {
  /** How the run that wrote it stood; undefined for a file that no session wrote. */
  readonly info: CheckpointInfo | undefined
  /**
   * The network's output for any number of examples, row after row; calls may overlap.
   * @throws DataError where `x` is no typed array of whole examples, of the kind that the network was trained on
   */
  predict(x: FieldArray, options?: PredictOptions): Promise<HostArray>
  /** Loss and measures over all examples of a data set with the fields `x` and `target`. */
  evaluate<M extends Readonly<Record<string, Measured>> = Readonly<Record<'accuracy', Measured>>>(
    options: EvaluateOptions<M>,
  ): Promise<Metrics<keyof M & string>>
  /**
   * -log of the probability of every token of a text but the first, in nats, each after all tokens before it: one pass.
   * @throws DataError for a token outside the vocabulary
   */
  tokenLosses(text: Text, options?: Pick<EvaluateOptions, 'window'>): Promise<Float32Array>
  /** Many texts of a language model at once, token by token. @throws ShapeError from a network that takes no sequences */
  sampler(options?: SamplerOptions): Promise<Sampler>
  /**
   * Compiles any function over the weights, in evaluation mode and f32 unless told, as `session.compile` does: a model is what
   * solvers and attacks run on.
   * @throws ShapeError, GraphError from the function
   * @example using attack = await solvers.lbfgsAttack(model, net, { shape: [100, 1, 28, 28] })
   */
  compile<R extends Readonly<Record<string, Tensor>>>(
    fn: Traceable<R>,
    extents: Readonly<Record<string, Extent>>,
    options?: CompileOptions,
  ): Promise<Compiled<R>>
  /** The weights, by path. */
  parameters(): Promise<Record<string, HostArray>>
  /**
   * Writes the network with its weights as an ONNX file (operators of opset 17): what becomes of the inputs before the network takes
   * them is in it, recurrent layers are LSTM, GRU and RNN nodes, and a state that a layer carries from run to run is an input and an
   * output, `NAME` and `NAME/next`. A network of bf16 is written in f32.
   * @throws OstrichError `ERR_OPTION`, for an op that ONNX has no operators for, which is named, and for 2 GiB or more
   * @example await model.exportOnnx('mnist.onnx') // x u8 [batch, 28, 28] -> output f32 [batch, 10]
   */
  exportOnnx(path: string, options?: OnnxOptions): Promise<void>
  /** Waits for what is running and frees everything; later calls throw `ERR_DISPOSED`. */
  dispose(): Promise<void>
}

/**
 * Loads a network's weights.
 * @throws OstrichError `ERR_OPTION`; CheckpointError for a file that is damaged, of another model, or of a network whose fields were
 *   prepared otherwise; `ERR_NO_DEVICE`
 * @example
 * const model = await train.load('mnist.safetensors', lenet())
 * const scores = await model.predict(images) // Float32Array, 10 for each image
 */
export async function load(path: string, net: Network, options: LoadOptions = {}): Promise<Model> {
  expectKind('load', 'path', is.text, path)
  expectKind('load', 'net', aFunction, net)
  return opened('load', [{ path, net, owner: '' }], net, options)
}

/** A network, the file of its weights, and what stands before the paths that the file has for them. */
export interface Part {
  readonly path: string
  readonly net: Network
  readonly owner: string
}

/** Networks with their weights as one model, which answers what `net` makes of them. @throws as `load` */
export async function opened(
  where: string,
  parts: readonly [Part, ...Part[]],
  net: Network,
  options: LoadOptions,
): Promise<Model> {
  expectOptions(where, options, loadOptions)
  if (options.input !== undefined) expectOptions(`${where}[input]`, options.input, fieldOptions)
  const [{ path: first }] = parts
  const infos: (CheckpointInfo | undefined)[] = []
  for (const { path } of parts) infos.push(await inspectCheckpoint(path))
  const [info] = infos
  const field = options.input ?? info?.fields['x']
  if (field === undefined) {
    const expected = `expected the type of an example, as ${first} does not say it, got none`
    throw new OstrichError('ERR_OPTION', `${where}[input]: ${expected}`)
  }
  for (const [i, own] of infos.entries()) {
    const { path } = parts[i]!
    if (own !== undefined) await expectMeaning(path, own, options)
    if (own !== undefined && info !== undefined && own !== info) expectAlike(path, own, first, info)
  }
  const place = await openPlace({ ...options, precision: options.precision ?? info?.precision ?? 'auto' })
  for (const message of place.warnings) options.onWarning?.(message)
  try {
    const inputs = options.inputs ?? {}
    const store = new StateStore(place.device)
    const programs = new Programs(place.device, store, info?.seed ?? 0)
    await programs.build({ name: 'load', mode: 'eval', precision: place.precision, brings: true }, () => {
      const x = feed('x', field.dtype, batched(field, 1))
      return { output: net(prepared(inputs, 'x', x)) }
    })
    for (const { path, owner } of parts) await fill(path, owner, store)
    await programs.refreshShadows()
    return modelOf({ place, programs, store, net, inputs, field, info })
  } catch (error) {
    await place.device.dispose()
    throw error
  }
}

/** Reads a file into the variables of one owner. */
async function fill(path: string, owner: string, store: StateStore): Promise<void> {
  await using checkpoint = await openCheckpoint(path)
  const { file, info } = checkpoint
  const entries = store
    .entries()
    .filter(({ name }) => name !== 'seed' && name !== 'step' && name.startsWith(owner))
    .map((entry) => ({ ...entry, name: entry.name.slice(owner.length) }))
  const expected = entries.map(({ name, variable: { dtype, shape } }) => ({ name, dtype, shape }))
  const trained = info && new Set(info.parameters)
  checkTensors(file, expected, (name) => trained !== undefined && !trained.has(name))
  await checkContent(checkpoint)
  await restore(file, entries)
}

/** What networks that answer together are asked, and what they answer, must stand for the same. */
function expectAlike(path: string, own: CheckpointInfo, first: string, info: CheckpointInfo): void {
  const meanings = ({ fields, classes, vocabulary, tokenizers }: CheckpointInfo) =>
    Object.entries({ 'field x': fields['x'], classes, vocabulary, tokenizers })
  const here = meanings(own)
  const other = meanings(info).find(([, value], i) => JSON.stringify(value) !== JSON.stringify(here[i]![1]))
  if (other === undefined) return
  throw new CheckpointError(`${path}: expected the ${other[0]} of ${first}, got another`)
}

/** What a network answers depends on how its fields are prepared: they must be as they were in training. */
async function expectMeaning(
  path: string,
  info: CheckpointInfo,
  { inputs = {}, input, onWarning }: LoadOptions,
): Promise<void> {
  const { fields, batch, preparation } = info
  if (input !== undefined && fields['x'] !== undefined) checkKind('load[input]', input.dtype, fields['x'].dtype)
  if (preparation === undefined) {
    onWarning?.(`${path}: does not say how fields were prepared in training: they are taken as \`inputs\` says`)
    return
  }
  const other = otherPreparation(preparation, await preparations(inputs, fields, batch))
  if (other === undefined) return
  throw new CheckpointError(`${path}: ${other}: load it with the \`inputs\` of its training`)
}

interface Parts {
  readonly place: Place
  readonly programs: Programs
  readonly store: StateStore
  readonly net: Network
  readonly inputs: Inputs
  readonly field: FieldSpec
  readonly info: CheckpointInfo | undefined
}

function modelOf({ place, programs, store, net, inputs, field, info }: Parts): Model {
  const predictor = new Predictor(programs, net, inputs, field, place.precision)
  let disposed: Promise<void> | undefined
  const end = async (): Promise<void> => {
    programs.dispose()
    store.dispose()
    await place.device.dispose()
  }
  const alive = (): void => {
    if (disposed === undefined) return
    throw new OstrichError('ERR_DISPOSED', 'model: expected a live model, got one that was disposed')
  }
  const dispose = (): Promise<void> => (disposed ??= end())
  return {
    info,
    async predict(x, options) {
      alive()
      return predictor.predict(x, options)
    },
    async evaluate<M extends Readonly<Record<string, Measured>>>(options: EvaluateOptions<M>) {
      alive()
      expectOptions<EvaluateOptions>('evaluate', options, evaluateOptions)
      const { data, loss, batch, window = 100, measures } = options
      const { train: source, classes } = sourcesOf(data, window)
      expectClasses('evaluate[data.classes]', info?.classes, classes)
      const rows = batch ?? (source.vocabulary === undefined ? 250 : 1)
      const trained = info?.fields ?? { ...source.fields, x: field }
      const task = { objective: supervised(net, loss, measures), inputs }
      const evaluator = new Evaluator(programs, task, place.precision, trained)
      try {
        return (await evaluator.measure(source, rows)) as Metrics<keyof M & string>
      } finally {
        evaluator.clear()
      }
    },
    async tokenLosses(text, options = {}) {
      alive()
      expectOptions('tokenLosses', options, { window: is.whole(1) })
      const { window = 100 } = options
      return tokenLosses(programs, { net, inputs, precision: place.precision, text, window })
    },
    async sampler(options = {}) {
      alive()
      return Sampler.create({ programs, store, net, inputs, precision: place.precision }, options)
    },
    async compile(fn, extents, options = {}) {
      alive()
      return compileFunction(programs, fn, extents, { ...options, fields: { x: field }, most: place.precision })
    },
    async parameters() {
      alive()
      return store.read()
    },
    async exportOnnx(path, options) {
      alive()
      const values = (paths: readonly string[]) => store.read(paths)
      await exportOnnx({ names: store.names, net, inputs, field, values }, path, options)
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}
