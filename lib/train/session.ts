// A session: one network on one device, with its data, its optimiser and its memory; trained step by step, watched,
// stopped, saved, resumed, measured and used. `open-session.ts` opens one.
import { expectKind, is } from '../base/index.js'
import type { CompilePrecision } from '../compile/index.js'
import { join } from 'node:path'
import type { FieldArray } from '../data/index.js'
import { type HostArray, OstrichError, type Tensor } from '../graph/index.js'
import { compileFunction, type Compiled, type CompileOptions, type Extent, type Traceable } from './compiled.js'
import { endOfEpoch } from './epoch-end.js'
import { Evaluator } from './evaluate.js'
import { type EndEvent, type Metrics, type StoppedEvent, type TrainEvent, unmeasured } from './events.js'
import { Gradients } from './gradients.js'
import { lossInfo, type MeasureInfo } from './measure.js'
import { Monitor } from './monitor.js'
import type { Loop, LoopParts, Position } from './loop.js'
import { checkLoadOptions, type LoadedWeights, loadWeights, type LoadWeightsOptions } from './load-weights.js'
import type { ObjectiveOptions } from './options.js'
import { type PredictOptions, Predictor } from './predictor.js'
import { makeFolder } from './run-log.js'
import { expectClasses, sourcesOf } from './source.js'
import type { Trainer } from './trainer.js'
import { readRun, writeRun } from './session-file.js'
import { sessionLoop } from './session-loop.js'
import type { SessionParts } from './session-parts.js'

/**
 * Made by `train.session`.
 * @typeParam M names of what is measured besides the loss
 */
export class Session<M extends string = string> {
  readonly #parts: SessionParts
  readonly #position: Position = { epoch: 0, stepInEpoch: 0, step: 0 }
  readonly #evaluator: Evaluator
  readonly #predictor: Predictor | undefined
  readonly #gradients: Gradients
  readonly #monitor?: Monitor
  #loop: Loop | undefined
  #running = false
  #disposed: Promise<void> | undefined
  #warnings: string[] = []

  constructor(parts: SessionParts) {
    const { options, sources, place, programs } = parts
    this.#parts = parts
    this.#gradients = new Gradients(parts)
    const { fields } = sources.train
    this.#evaluator = new Evaluator(programs, options, place.precision, fields, options.programs.most)
    this.#predictor = options.net && new Predictor(programs, options.net, options.inputs, fields['x']!, place.precision)
    const { monitor, patience: end, optimizer } = options
    if (monitor !== undefined) {
      const info = { loss: lossInfo, ...parts.measures }[monitor]!
      this.#monitor = new Monitor(monitor, info, { end, fall: optimizer.plateau?.patience })
    }
    for (const message of [...place.warnings, ...sources.notes]) this.#warn(message)
  }

  /** `f32` or `bf16`, as chosen. */
  get precision(): CompilePrecision {
    return this.#parts.place.precision
  }

  /** What the device says of itself. */
  get device(): Readonly<Record<string, string>> {
    return this.#parts.place.info
  }

  /** Finished training steps. */
  get step(): number {
    return this.#position.step
  }

  /** What is measured besides the loss, by name: which direction is better, and how it is written. */
  get measures(): Readonly<Record<M, MeasureInfo>> {
    return this.#parts.measures
  }

  /** Counters of the training program (of variable lengths, of that which ran last): memory, reorders, the plan. */
  get stats(): Trainer['stats'] {
    this.#alive()
    return this.#parts.trainer.stats
  }

  /**
   * Trains, one event at a time, from where the session stands to the last epoch. Leaving the loop stops after the steps
   * in flight; calling it again goes on.
   * @throws OstrichError `ERR_NOT_FINITE` with the step and the first parameter that is not finite; `ERR_DATA` for a label
   * outside the classes; what the data and the device throw
   * @example for await (const event of session.events()) if (event.type === 'epoch') console.log(event.validation.accuracy)
   */
  async *events(): AsyncGenerator<TrainEvent<M>, void, undefined> {
    this.#alive()
    if (this.#running) throw new OstrichError('ERR_STATE', 'events: expected one loop at a time, got a second')
    this.#running = true
    const { weights } = this.#parts
    try {
      await weights.begin()
      this.#loop = this.#newLoop()
      yield* this.#loop.events() as AsyncGenerator<TrainEvent<M>, void, undefined>
    } finally {
      this.#running = false
      if (this.#disposed === undefined) await weights.end()
    }
  }

  /** Trains to the end, or until the signal stops it; the last event says which. */
  async run(): Promise<EndEvent<M> | StoppedEvent<M>> {
    for await (const event of this.events()) {
      if (event.type === 'end' || event.type === 'stopped') return event
    }
    throw new OstrichError('ERR_STATE', 'run: expected the loop to end, got nothing')
  }

  /**
   * Loss and measures over the validation set, or over the `data` of another source of the same fields. A text is measured
   * in `batch` parallel streams, default that of training; 1 is one pass that leaves out no token.
   */
  async evaluate(data?: ObjectiveOptions['data'], batch = this.#parts.options.batch): Promise<Metrics<M>> {
    this.#alive()
    expectKind('evaluate', 'batch', is.whole(1), batch)
    const { sources, options } = this.#parts
    const given = data === undefined ? undefined : sourcesOf(data, options.window)
    expectClasses('evaluate[data.classes]', sources.classes, given?.classes)
    const source = data === undefined ? sources.validation : given?.train
    const measured =
      source === undefined ? this.#unmeasured() : this.#atRest(() => this.#evaluator.measure(source, batch))
    return (await measured) as Metrics<M>
  }

  /**
   * The network's output for any number of examples, row after row; calls may overlap, also with training: by its weights then.
   * @throws DataError where `x` is no typed array of whole examples, of the kind that the network is trained on
   */
  predict(x: FieldArray, options: PredictOptions = {}): Promise<HostArray> {
    this.#alive()
    if (this.#predictor === undefined) {
      const expected = 'expected a session of a network and a loss, got one of an objective'
      throw new OstrichError('ERR_STATE', `predict: ${expected}: compile a function of its inputs (session.compile)`)
    }
    return this.#predictor.predict(x, options)
  }

  /**
   * Compiles any function over the session's weights, in evaluation mode unless told.
   * @param extents of each input, in the order of the function's parameters; a plain list of extents is f32, or i32 for
   * the name of an integer field of the data
   * @throws ShapeError, GraphError from the function
   * @example
   * const attack = await session.compile((x: Tensor<'f32'>, target: Tensor<'i32'>) => ({ gradient: grad(nn.crossEntropy(net(x), target), x) }),
   *   { x: [128, 1, 28, 28], target: [128] })
   */
  async compile<R extends Readonly<Record<string, Tensor>>>(
    fn: Traceable<R>,
    extents: Readonly<Record<string, Extent>>,
    options: CompileOptions = {},
  ): Promise<Compiled<R>> {
    this.#alive()
    const { programs, sources } = this.#parts
    return compileFunction(programs, fn, extents, { ...options, fields: sources.train.fields, most: this.precision })
  }

  /** Reads the trained variables back, by path: their average, where there is one. */
  async parameters(): Promise<Record<string, HostArray>> {
    this.#alive()
    return this.#atRest(() => this.#parts.store.read())
  }

  /**
   * Gradients of the mean loss by each trained variable, by path, to look at: on the first batch of the epoch that the session is in, in
   * evaluation mode (without dropout). No step is taken; the first call compiles a program as large as that of training.
   */
  async gradients(): Promise<Record<string, HostArray>> {
    this.#alive()
    return this.#atRest(() => this.#gradients.read(this.#position))
  }

  /**
   * Writes a checkpoint: parameters, optimiser state, counters and the place in the data. The file is replaced whole or not at all.
   * @throws CheckpointError for a failing disk
   */
  async save(path: string): Promise<void> {
    this.#alive()
    expectKind('save', 'path', is.text, path)
    await this.#atRest(async () => {
      const failed = this.#position.step - (await this.#parts.store.steps())
      this.#position.step -= failed
      this.#position.stepInEpoch -= failed
      await writeRun(path, this.#parts, { ...this.#position }, this.#monitor?.state)
    })
  }

  /**
   * Goes on from a checkpoint: bit for bit as if it had never stopped, on the same kind of processor, threads, precision and data; a
   * difference is told through `onWarning` and a `warning` event.
   * @throws CheckpointError for a file that is damaged or of another model
   */
  async resume(path: string): Promise<void> {
    this.#alive()
    expectKind('resume', 'path', is.text, path)
    this.#idle('resume')
    const differences = await readRun(path, this.#parts, (put) =>
      this.#atRest(async () => {
        this.#idle('resume')
        const { monitored, epoch, stepInEpoch, step } = await put()
        if (monitored !== undefined) this.#monitor?.restore(monitored)
        Object.assign(this.#position, { epoch, stepInEpoch, step })
      }),
    )
    for (const message of differences) this.#warn(`${path}: ${message}`)
  }

  /**
   * Takes weights by path from any safetensors file, one of PyTorch's too, to go on from what was trained before; counters and the
   * optimiser's state stay as they are.
   * @throws CheckpointError for a file that is damaged, lacks a path, or has a tensor of another shape; OstrichError `ERR_OPTION`
   * @example const { taken, left } = await session.load('cifar10.safetensors', { only: 'net/encoder/**' })
   */
  async load(path: string, options: LoadWeightsOptions = {}): Promise<LoadedWeights> {
    this.#alive()
    expectKind('load', 'path', is.text, path)
    checkLoadOptions(options, this.#parts.options, this.step)
    this.#idle('load')
    const turns = { put: this.#atRest.bind(this), warn: this.#warn.bind(this) }
    return loadWeights(path, options, this.#parts, turns)
  }

  /** Waits for what is running and frees everything; later calls throw `ERR_DISPOSED`. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#end()
    return this.#disposed
  }

  /** The same as `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #end(): Promise<void> {
    await this.#loop?.settled()
    await this.#parts.weights.idle()
    this.#parts.programs.dispose()
    this.#parts.store.dispose()
    await this.#parts.place.device.dispose()
  }

  #newLoop(): Loop {
    return sessionLoop(this.#parts, this.#position, {
      endEpoch: (advance) => this.#endEpoch(advance),
      save: (name) => this.#saveToFolder(name),
      warnings: () => this.#warnings.splice(0),
      unmeasured: this.#unmeasured(),
      ended: () => this.#monitor?.isSpent === true,
      best: () => this.#monitor?.best,
    })
  }

  /** Calls `look` when no step runs, with the weights in place that are used. */
  #atRest<T>(look: () => Promise<T>): Promise<T> {
    return this.#parts.weights.atRest(async () => this.#loop?.settled(), look)
  }

  /** Measures and goes on to the next epoch in one turn: who saves meanwhile has all of it, or nothing. */
  #endEpoch(advance: () => void): ReturnType<LoopParts['endEpoch']> {
    const judges = { evaluator: this.#evaluator, monitor: this.#monitor }
    return this.#atRest(() => endOfEpoch(this.#parts, judges, this.#position, advance))
  }

  #unmeasured(): Metrics {
    return unmeasured(this.#parts.measures)
  }

  async #saveToFolder(name: 'last' | 'best'): Promise<string | undefined> {
    const { folder } = this.#parts.options
    if (folder === undefined) return undefined
    await makeFolder(folder)
    const path = join(folder, `${name}.safetensors`)
    await this.save(path)
    return path
  }

  #warn(message: string): void {
    this.#parts.options.onWarning?.(message)
    this.#warnings.push(message)
  }

  #idle(call: string): void {
    if (this.#running) throw new OstrichError('ERR_STATE', `${call}: expected no loop to be running, got one`)
  }

  #alive(): void {
    if (this.#disposed !== undefined)
      throw new OstrichError('ERR_DISPOSED', 'session: expected a live session, got one that was disposed')
  }
}
