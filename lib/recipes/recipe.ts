// What a recipe is: a network, its data, optimiser and schedule, and the number that they reach together.
import { expectOptions, is, type Schema } from '../base/index.js'
import {
  type Alphabet,
  type Dataset,
  type Fields,
  type FetchOptions,
  type FieldSpec,
  type PairedFiles,
  type Text,
  type Tokenizer,
  type Vocabulary,
  windowFields,
} from '../data/index.js'
import { type DType, expectTensor, ofDType, type Tensor } from '../graph/index.js'
import type { MeasureInfo } from '../train/measures.js'
import {
  type Inputs,
  type Loss,
  type Measured,
  type Network,
  type Objective,
  type ObjectiveOptions,
  session,
  type Session,
  type SessionOptions,
} from '../train/index.js'
import type { Forecaster, Speech, Translator } from '../models/index.js'
import type { Optimizer } from '../optim/index.js'

/** The parts of a data set. */
export interface Halves {
  readonly train: Dataset | Text
  /** Measured after each epoch. None where a recipe trains on all that its paper trains on, or the user's own data has none. */
  readonly validation?: Dataset | Text
  /**
   * Measured once, at the end, and what the recipe's number is of; a text is read in one pass. Nothing is chosen or stopped by it.
   * Where there is none, the number is of `validation`.
   */
  readonly test?: Dataset | Text
  /** What the numbers of labels stand for, by number: a checkpoint keeps it. */
  readonly classes?: readonly string[]
  /** What a person should know of them. */
  readonly notes?: readonly string[]
}

/** A person's own lines and their translations. */
export interface OwnPairs {
  readonly train: PairedFiles
  /** Default: a part of `train` that is held back. */
  readonly validation?: PairedFiles
  /** Default: none. */
  readonly test?: PairedFiles
}

/** How to get a data set. */
export interface GetOptions extends FetchOptions {
  /** The user's copy of it, for a data set that takes one. */
  readonly from?: string
}

/** Where and how to read a data set. */
export interface LoadOptions {
  /** Folder of the data. Default: the data set's own. */
  readonly dir?: string
  /** Threads that read images, of a data set that is not kept in memory. Default 0: the calling one. */
  readonly workers?: number
  /** Views of each image that is measured (1, or 10), of data sets of images. Default 1. */
  readonly views?: 1 | 10
  /** Of a text: that of the network which is to read it. Default: the text's own. */
  readonly vocabulary?: Vocabulary
  /** Of lines and translations: those of the network which is to read them. Default: learned from what is trained on. */
  readonly tokenizers?: Readonly<Record<string, Tokenizer>>
  /** In the place of a folder, for a data set that is lines and translations. */
  readonly pairs?: OwnPairs
}

/** A data set by name: how to get it, and how to read it once it is there. */
export interface DataSource {
  readonly name: string
  readonly title: string
  /** What is downloaded, and from where, in words. */
  readonly origin: string
  /** What `from` may be, in words; absent where nothing is taken from the user. */
  readonly from?: string
  /** Whether a person's own files of lines and translations may take its place. */
  readonly takesPairs?: boolean
  /** Folder that it lives in. */
  folder(): string
  /** Gets what is missing; does nothing where all is there and no copy is given. */
  get(options?: GetOptions): Promise<string>
  /** Reads it. @throws DataError where it is absent or damaged */
  load(options?: LoadOptions): Promise<Halves>
}

/** What a person may choose. */
export interface RecipeOptions {
  readonly epochs?: number
  readonly batch?: number
  /** Peak of the learning rate. */
  readonly rate?: number
  /** The text that is trained on, where it is the user's own: its length, and how many different tokens it has. */
  readonly text?: { readonly tokens: number; readonly vocabulary: number }
  /** The lines and translations that are trained on: how many, and how many different tokens either side has. */
  readonly languages?: { readonly pairs: number; readonly source: number; readonly target: number }
  /** How many examples are trained on in an epoch, where the data is examples. */
  readonly examples?: number
}

const schema: Schema<RecipeOptions> = {
  epochs: is.whole(0),
  batch: is.whole(1),
  rate: is.number,
  text: is.object,
  languages: is.object,
  examples: is.whole(1),
}

/** The options of a recipe, looked at. @throws OstrichError `ERR_OPTION` */
export function chosen(options: RecipeOptions): RecipeOptions {
  expectOptions('recipe', options, schema)
  return options
}

/** How translations are searched for: options of `train.beamSearch`. */
export interface SearchPlan {
  readonly beam: number
  readonly lengthPenalty: 'none' | 'mean' | 'gnmt'
  readonly alpha?: number
  readonly coverage?: number
}

/** How what was said is searched for in what a network heard: options of `train.transcriber`. */
export interface TranscriptPlan {
  readonly search: 'greedy' | 'beam'
  readonly beam?: number
  readonly prune?: number
  readonly alpha?: number
  readonly beta?: number
  readonly unknown?: number
  /** Words of the n-grams of the training transcripts that a beam is ranked by. Default: none are. */
  readonly ngrams?: number
}

/** A network that hears lines, and the symbols that it writes them in. */
export interface Recogniser {
  readonly net: Speech
  readonly alphabet: Alphabet
  readonly search: TranscriptPlan
  /** What symbols are measured as: `timitPhonemes`. Default: as they are. */
  readonly fold?: Readonly<Record<string, string>>
}

/** Everything that a session needs besides data and device. */
export interface Plan extends Required<Omit<RecipeOptions, 'text' | 'languages' | 'examples'>> {
  /** What is trained, saved and asked. */
  readonly net: Network
  /** The same as a network that reads one sentence and writes another, where it is one. */
  readonly translator?: Translator
  /** The same as a network that hears, where it is one. */
  readonly recogniser?: Recogniser
  /** Whether it reads numbers, as `models.houseNumbers` does. */
  readonly readsNumbers?: boolean
  /** The same as a network that predicts frames, where it is one. */
  readonly forecaster?: Forecaster
  /** How its translations are searched for, unless a person says otherwise. */
  readonly search?: SearchPlan
  /** Mean loss of a batch, from the network's output and the field `target`. */
  readonly loss: Loss
  readonly optimizer: Optimizer
  /** What is learned, where that is more than a loss of the network's output. */
  readonly objective?: Objective
  /** What is measured besides the loss, by name. Default: accuracy. */
  readonly measures?: Readonly<Record<string, Measured>>
  /** How to read what the objective measures, where it is not of `measures`. */
  readonly infos?: Readonly<Record<string, MeasureInfo>>
  /** How fields become what the network takes; default: `u8` is scaled to 0..1. */
  readonly inputs?: Inputs
  /** Of texts: steps of time through which a gradient reaches back. */
  readonly window?: number
  /** Of texts: what the gradient is of, over the steps of a window. */
  readonly overTime?: SessionOptions['overTime']
  /** What examples are called, in the plural. Default: examples. */
  readonly unit?: string
  /** One example of the network's input, without the batch. */
  readonly example: FieldSpec
  /** All fields, where the objective reads others than `x` and `target`. */
  readonly fields?: Fields
}

/** The fields of the batches that a plan trains on. */
export function planFields({ fields, example }: Plan): Fields {
  if (fields !== undefined) return fields
  if (example.batchAxis === 1) return windowFields(example.shape[0] ?? 1)
  return { x: example, target: { dtype: 'i32', shape: [] } }
}

/** A field that an objective reads. @throws ShapeError where it is of another dtype; GraphError where there is none */
export function fieldOf<D extends DType>(fields: Readonly<Record<string, Tensor>>, name: string, dtype: D): Tensor<D> {
  const field = fields[name]
  expectTensor(field, `field ${name}`)
  return ofDType(field, dtype, `field ${name}`)
}

/** A number to reach. */
export interface Target {
  /** Its name, `test accuracy`: the part that it is measured on, and what. */
  readonly metric: string
  readonly value: number
  /** What is compared: a measure of the plan, or `loss`. Default: `accuracy`. */
  readonly of?: string
  /** Views of each test image whose probabilities are averaged, where the number is of several. */
  readonly views?: 10
}

/** A result that can be reproduced with one command. */
export interface Recipe {
  readonly name: string
  readonly title: string
  /** Where the network comes from. */
  readonly paper: string
  /** What it reaches with its own options. */
  readonly target: Target
  readonly data: DataSource
  /** Makes the network and what trains it; `steps` is the length of an epoch for a batch size. */
  build(options?: RecipeOptions): Plan
}

/** Options of a session that a plan leaves open. */
export type Given = Pick<ObjectiveOptions, 'data'> &
  Partial<Omit<ObjectiveOptions, 'optimizer' | 'batch' | 'epochs' | 'inputs' | 'window' | 'overTime' | 'net'>>

/**
 * Opens the session of a plan.
 * @throws what `train.session` throws
 */
export function planSession(plan: Plan, given: Given): Promise<Session> {
  const { net, loss, objective, optimizer, batch, epochs, inputs, measures, window, overTime } = plan
  const shared = {
    ...{ optimizer, batch, epochs },
    ...(inputs && { inputs }),
    ...(window !== undefined && { window }),
    ...(overTime && { overTime }),
    ...given,
  }
  if (objective !== undefined) return session(objective, { ...shared, net })
  return session<Fields, Readonly<Record<string, Measured>>>(net, { ...shared, loss, ...(measures && { measures }) })
}
